"""One widget module, three places to show it: a Streamlit page, a notebook cell, a file.

A widget is ``host.js`` + ``page.js`` + ``draw.js`` + ``<name>.js`` joined into one ES module (a page loads it from
a blob URL, so nothing could be imported from it) and a :class:`Payload`: JSON-able ``meta`` and named ``blobs`` of
bytes. Both travel as one packed byte string, since neither host carries bytes inside a dictionary.
``meta["state"]`` holds the initial value of every state key that the widget commits on click.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from workbench.errors import UnknownNameError
from workbench.explain import order_by_part
from workbench.figures import palette
from workbench.landmarks import Scheme

if TYPE_CHECKING:
    from workbench.widgets.jupyter import JupyterWidget

FOLDER = Path(__file__).parent
NAMES = ("relations", "structure", "uncertainty", "picker", "shape", "maps", "attention")
_SHARED = {
    "uncertainty": ("rect.js", "spread.js"),
    "picker": ("rect.js",),
    "maps": ("grid.js",),
    "attention": ("grid.js",),
}
MAGIC = b"WBW1"
PHOTO_SIDE = 640
"""Side in pixels of the crop that is sent as background; the model's own input may be smaller."""


class Payload(TypedDict):
    """What a widget shows: ``meta`` (JSON-able; ``meta["state"]`` the initial state) and ``blobs``."""

    meta: dict[str, Any]
    blobs: dict[str, bytes]


@cache
def _joined(name: str) -> str:
    if name not in NAMES:
        raise UnknownNameError(f"There is no widget '{name}'; choose one of {', '.join(NAMES)}.")
    return "\n".join(
        (FOLDER / file).read_text(encoding="utf-8")
        for file in ("host.js", "page.js", "draw.js", *_SHARED.get(name, ()), f"{name}.js")
    )


def module_source(name: str) -> str:
    """The ES module of a widget, for Streamlit and Jupyter alike (its default export tells them apart).

    Raises:
        UnknownNameError: no such widget.
    """
    return f"{_joined(name)}\nexport default entry(mount);\n"


def pack(payload: Payload, rev: int = 0) -> bytes:
    """The wire form that ``host.js`` unpacks: magic, header length (uint32), header JSON, blobs (8-aligned).

    Args:
        payload: meta must be JSON-able without NaN.
        rev: a new number makes the browser take over ``meta["state"]``; with the same one it keeps its own.
    """
    places: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, blob in payload["blobs"].items():
        places[name] = (len(body), len(blob))
        body += blob
        body += bytes(-len(body) % 8)
    shown = {key: value for key, value in payload["meta"].items() if key != "state"}
    digest = hashlib.blake2b(body, digest_size=12)
    digest.update(json.dumps(shown, allow_nan=False).encode())
    header = {"meta": payload["meta"], "blobs": places, "digest": digest.hexdigest(), "rev": rev}
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    start = MAGIC + struct.pack("<I", len(text)) + text
    return start + bytes(-len(start) % 8) + bytes(body)


# Streamlit --------------------------------------------------------------------------------------------------


@cache
def _component(name: str) -> Callable[..., Any]:
    import streamlit as st

    return st.components.v2.component(f"workbench_{name}", js=module_source(name))


def mount(
    name: str,
    payload: Payload,
    *,
    key: str,
    on_change: Callable[[dict[str, Any]], None] | None = None,
    height: str | int = "content",
) -> dict[str, Any]:
    """Show a widget on a Streamlit page and return its state.

    The data go to the browser again only when they differ; a state that the browser itself committed is never
    sent back to it, while a ``meta["state"]`` that differs from what the browser shows is taken over there.

    Args:
        name: a widget of :data:`NAMES`.
        payload: from ``<name>_payload``.
        key: of the element; also where ``st.session_state`` keeps the state.
        on_change: called before the rerun with the whole state, whenever the person commits something.
        height: CSS pixels, ``"content"`` or ``"stretch"``.
    """
    import streamlit as st

    wanted = dict(payload["meta"].get("state", {}))
    memory = f"_workbench_sent_{key}"
    kept = st.session_state.get(key)
    sent, rev, before = st.session_state.get(memory, (wanted, 0, wanted))
    if kept is None:  # first mount, or back on the page: the browser starts from what it is sent
        sent = wanted
    elif wanted != before and wanted != {**sent, **{k: kept[k] for k in wanted if k in kept}}:
        sent, rev = wanted, rev + 1
        st.session_state[key] = wanted
    st.session_state[memory] = (sent, rev, wanted)

    def changed() -> None:
        if on_change is not None:
            now = st.session_state.get(key) or {}
            on_change({k: now.get(k, value) for k, value in wanted.items()})

    data = pack({"meta": {**payload["meta"], "state": sent}, "blobs": payload["blobs"]}, rev)
    callbacks = {f"on_{k}_change": changed for k in wanted}
    result = _component(name)(key=key, data=data, default=wanted, height=height, **callbacks)
    return {k: result[k] if k in result and result[k] is not None else value for k, value in wanted.items()}


# Notebook and file ------------------------------------------------------------------------------------------


def jupyter(name: str, payload: Payload) -> JupyterWidget:
    """The widget for a notebook cell; ``.state`` follows what the person commits and may be set."""
    from workbench.widgets.jupyter import JupyterWidget

    return JupyterWidget(name, payload)


def standalone_html(name: str, payload: Payload, title: str = "workbench") -> str:
    """One HTML file with the module and the data inside, which works from a disk without any network."""
    data = base64.b64encode(pack(payload)).decode()
    script = _joined(name).replace("</script", "<\\/script")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{html.escape(title)}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; padding: 1rem; max-width: 1280px; background: light-dark(#fff, #14161a); }}
</style>
</head>
<body>
<main id="widget"></main>
<script type="module">
{script}
standaloneHost(document.getElementById("widget"), "{data}", mount);
</script>
</body>
</html>
"""


# Parts of a payload -----------------------------------------------------------------------------------------


@cache
def lut(name: str) -> bytes:
    """256 x RGB of a colour map of ``figures.palette`` ("inferno", "cividis", "diverging")."""
    return palette.sample(name, np.linspace(0, 1, 256)).tobytes()


def luts(*names: str) -> dict[str, bytes]:
    """Blobs ``lut.<name>`` of the named colour maps."""
    return {f"lut.{name}": lut(name) for name in names}


def half(values: ArrayLike) -> bytes:
    """Values as little-endian float16 (11 significant bits); ``decodeHalf`` in draw.js reads them."""
    return np.ascontiguousarray(values, dtype="<f2").tobytes()


def photo(crop: np.ndarray) -> bytes:
    """A crop (S, S, 3) uint8 as JPEG, for a blob that ``loadImage`` in draw.js reads."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(crop, dtype=np.uint8)).save(file, "JPEG", quality=93, subsampling=0)
    return file.getvalue()


def rounded(points: ArrayLike, digits: int = 5) -> list[Any]:
    """Coordinates as nested lists, normalised ones to a thousandth of a crop pixel."""
    return np.asarray(points, dtype=np.float64).round(digits).tolist()


def face_meta(scheme: Scheme) -> dict[str, Any]:
    """What draw.js needs of a scheme.

    ``count``, ``name``; per landmark ``label``, ``part``, ``side``, ``colour``; ``lines`` (name, part, colour,
    path); ``order`` (landmarks by part) and ``brackets`` (part, text, colour, start, stop in that order).
    """
    order = order_by_part(scheme)
    ends = zip(order.parts, order.starts[:-1].tolist(), order.starts[1:].tolist(), strict=True)
    return {
        "name": scheme.name,
        "count": scheme.count,
        "label": [scheme.label(i) for i in range(scheme.count)],
        "part": list(scheme.part_of),
        "side": list(scheme.side_of),
        "colour": palette.landmark_colours(scheme),
        "lines": [
            {"name": g.name, "part": g.part, "colour": line_colour(g.part, g.name), "path": list(g.path)}
            for g in scheme.groups
        ],
        "order": order.index.tolist(),
        "brackets": [
            {"part": part, "text": palette.PART_NAMES[part], "colour": part_colour(part), "start": i, "stop": j}
            for part, i, j in ends
        ],
    }


def part_colour(part: str) -> str:
    """The colour of a facial part, as ``#rrggbb``."""
    return palette.shade(part)


def landmark_colour(part: str, side: str) -> str:
    """The part's colour, shaded by the side of the picture."""
    return palette.shade(part, side)


def line_colour(part: str, name: str) -> str:
    """The colour of a polyline; its name says on which side of the picture it lies."""
    side = next((s for s in ("image left", "image right") if name.startswith(s.replace(" ", "-"))), "centre")
    return palette.shade(part, side)
