"""The Tracking view: what arrives in the browser is what was found, and both makers say the same."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.readings import synthetic_reading
from tests.test_tracking import Follow, Several, two
from tests.widgets.javascript import run
from workbench import figures
from workbench.errors import DataError, TraceError
from workbench.explain.captions import compose
from workbench.explain.system_captions import TRACKING
from workbench.explain.timeline import tracking_facts
from workbench.faces.film import VideoFrame
from workbench.figures.film import film_bytes
from workbench.tracking import FilmReading, film_reading
from workbench.widgets import tracking_payload

PLACES = [(20, None), (24, 250), (28, 246), (None, 242), (40, 238)]
TIMES = [0.0, 0.04, 0.2, 0.24, 0.3]


@pytest.fixture(scope="module")
def film() -> FilmReading:
    frames = [VideoFrame(two(*p).resize((640, 480)), t) for p, t in zip(PLACES, TIMES, strict=True)]
    return film_reading(Follow(), frames, "two squares", every=2, detector=Several())


def test_points_words_and_rows_are_those_that_were_found(film: FilmReading, tmp_path) -> None:
    payload = tracking_payload(film)
    got = run(
        tmp_path,
        "tracking",
        """const bytes = (name) => Uint8Array.from(atob(input.blobs[name] ?? ""), (c) => c.charCodeAt(0));
        const v = trackingState({ meta: input.meta, bytes, get: () => input.meta.state.selection });
        const out = [];
        for (const face of v.meta.faces.keys())
          for (let k = 0; k < v.count; k++) {
            v.s = { ...v.s, frame: k, face };
            const text = captionText(composeCaption(v.meta.caption, trackingFacts(v)));
            out.push([face, k, v.points(face, k), v.lasts(k), text, v.jpeg(k).length]);
          }
        return { out, rows: trackingRows(v) };""",
        meta=payload["meta"],
        blobs={name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()},
    )
    assert len(got["out"]) == 10
    for face, k, points, lasts, text, length in got["out"]:
        one = film.faces[face][k]
        assert (points is None) == (one.landmarks is None)
        if points is not None:
            np.testing.assert_allclose(points, one.landmarks, rtol=1e-6)
        assert lasts == pytest.approx([*np.diff(TIMES), 0.06][k])
        assert text == compose(TRACKING, tracking_facts(film, k, face))
        assert length == len(film.pictures[k])
    head, *rows = got["rows"]
    assert head[:6] == ["face", "frame", "time", "state", "searched", "confidence"]
    assert len(rows) == 5 + 3  # none before the second face turned up
    assert rows[3][3] == "lost" and rows[3][-1] == "" and rows[0][2] == 0


def test_the_figure_is_of_one_face_and_the_gif_keeps_the_pace(film: FilmReading) -> None:
    said = figures.tracking(film, 1).layout.meta["caption"]
    assert said.startswith("5 frames: ")
    with pytest.raises(DataError, match="2 faces"):
        figures.tracking(film, 2)
    with Image.open(io.BytesIO(film_bytes(film))) as marked:
        lasts = []
        for k in range(marked.n_frames):
            marked.seek(k)
            lasts.append(marked.info["duration"])
    assert lasts == [40, 160, 40, 60, 60]


def test_what_is_no_film_is_refused(film: FilmReading) -> None:
    with pytest.raises(TraceError, match="follow a film"):
        tracking_payload(synthetic_reading(68))
    with pytest.raises(TraceError):
        tracking_payload(film, {"frame": 99})
    alone = replace(film, faces=film.faces[:1])
    assert "points.1" not in tracking_payload(alone)["blobs"]
