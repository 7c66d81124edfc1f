"""A film on the Pose page: one of a person's own or one made of samples, and its faces followed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import streamlit as st

from workbench.app import explorer, messages, options, readings, requirements, state, uploads
from workbench.app.cache import Picture, shared_picture
from workbench.app.working import about, compute, kept
from workbench.attribution.attribute import seconds_of_a_pass
from workbench.errors import WorkbenchError
from workbench.explain import to_csv
from workbench.explain.timeline import flat, row
from workbench.faces.film import SAMPLE_FRAMES, VideoFrame, frames_of, sample_film
from workbench.figures.film import film_bytes
from workbench.tracking import FilmReading, film_reading
from workbench.views import get_view

KEPT = "pose.film"
"""What is shown: {"on": a film instead of a face, "source": "samples" or "own"}."""
LIMIT = 300
TYPES = (*uploads.TYPES, "mp4", "mov", "webm", "mkv", "avi")
_CLIP, _SERIAL = "wb_clip", "wb_clip_serial"
_WAYS = {"face": "One face", "film": "A film"}


@dataclass(frozen=True)
class Clip:
    """A film of a person's own: its files in memory, and its first frame, whose leaving empties the caches."""

    name: str
    files: tuple[tuple[str, bytes], ...]
    first: Picture

    def frames(self) -> Iterator[VideoFrame]:
        return frames_of(self.files)


def show() -> None:
    """The Pose page: the chosen face, or a film."""
    if requirements.missing("pose"):
        return
    chosen = options.options_of(KEPT)
    wanted = "film" if chosen.get("on") is True else "face"
    if st.session_state.get("pose_way") != wanted:
        st.session_state["pose_way"] = wanted
    st.segmented_control(
        "What is read",
        list(_WAYS),
        key="pose_way",
        format_func=_WAYS.__getitem__,
        on_change=lambda: _keep(on=st.session_state["pose_way"] == "film"),
        label_visibility="collapsed",
        required=True,
    )
    if wanted == "face":
        explorer.show("pose")
    else:
        _film(str(chosen.get("source", "")))


def _keep(**values: Any) -> None:
    options.keep_options(KEPT, {**options.options_of(KEPT), **values})


def _film(source: str) -> None:
    clip: Clip | None = st.session_state.get(_CLIP)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="wb-film"):
        _chooser()
        st.button(
            "A film made of the samples",
            key="film_samples",
            icon=":material/movie:",
            on_click=_keep,
            kwargs={"source": "samples"},
            type="tertiary",
        )
    if source == "own" and clip is None:
        st.markdown(
            ":material/info: Your film is no longer here and never part of a link: choose it again, or take the one "
            "that is made of the samples."
        )
        return
    if source not in ("own", "samples"):
        st.markdown(
            "Choose a film with a face: a video, an animated picture, or the pictures of a folder. Its faces are "
            "followed from frame to frame, and searched for anew where the network is not sure enough."
        )
        return
    _followed(clip if source == "own" else None)


def _followed(clip: Clip | None) -> None:
    """What was followed, or the button that does it."""
    model = state.current().model
    name = "samples" if clip is None else clip.name
    whole = readings.FaceKey("", clip.first.digest if clip else "", name, 0, None, None)
    key = (whole, model, "film", LIMIT)
    found: FilmReading | None = kept(key)
    if found is None:
        network = readings.model(model)
        count = SAMPLE_FRAMES if clip is None else _count(clip)
        seconds = 1.5 * seconds_of_a_pass(network) * (count or LIMIT)
        much = f"{count or f'up to {LIMIT}'} frames, {about(seconds)}"
        pressed = st.button(f"Follow the faces · {much}", key="film_follow", type="primary")
        working = st.empty()
        if pressed:

            def make(told: Any) -> FilmReading:
                frames = sample_film() if clip is None else clip.frames()
                return film_reading(network, frames, name, limit=LIMIT, progress=lambda k: told(k, count or LIMIT))

            compute(working, key, make, f"Following the faces of {messages.plain(name)}", "film_cancel")
        return
    payload = readings.view("tracking", key, lambda: get_view("tracking").payload(found, {}))
    chosen = explorer.linked("tracking", payload, (), place="pose.tracking")
    explorer.evidence("pose")
    stem = payload["meta"]["stem"]
    explorer.save_menu(
        ("The film with all that was found, as GIF", f"{stem}.gif", "image/gif", lambda: film_bytes(found)),
        ("Numbers of every frame as CSV", f"{stem}.csv", "text/csv", lambda: _csv(found)),
        explorer.explorer_item("tracking", payload, chosen),
        key="tracking",
    )


def _csv(found: FilmReading) -> str:
    rows = [{"face": k + 1, **row(one)} for k, frames in enumerate(found.faces) for one in frames]
    return to_csv(flat([one for one in rows if one["state"] != "away"]))


def _count(clip: Clip) -> int | None:
    """How many frames are read; None where only the end of the film tells."""
    if len(clip.files) > 1:
        return min(LIMIT, len(clip.files))
    return None


def _chooser() -> None:
    """A menu with the file chooser."""
    serial = st.session_state.setdefault(_SERIAL, 0)
    with st.popover("Your film", icon=":material/video_file:", key=f"film_{serial}"):
        key = f"clip_{serial}"
        st.file_uploader(
            "A film, or the pictures of one",
            TYPES,
            key=key,
            accept_multiple_files=True,
            on_change=_take,
            args=(key,),
            help="It stays in the memory of the program that runs this page, and no link holds it.",
        )
        st.caption(
            f"An animated GIF, WebP or PNG, or several pictures, read in the order of their names; MP4, MOV and WebM "
            f"where the extra `video` is installed. Up to {st.get_option('server.maxUploadSize')} MB; the first "
            f"{LIMIT} frames are read. A telephone offers its camera here."
        )


def _take(key: str) -> None:
    """Make files the film. What cannot be read changes nothing but the notice."""
    given: Any = st.session_state.get(key)
    if not given:
        return
    files = tuple((PurePath(file.name).name, file.getvalue()) for file in given)
    try:
        first = next(frames_of(files), None)
        if first is None:
            raise WorkbenchError(f"{files[0][0]} holds no frame.")
    except WorkbenchError as error:
        state.notify(f"{error} What you had is still here.")
        return
    digest = hashlib.sha256(b"".join(data for _, data in files)).hexdigest()
    name = files[0][0] if len(files) == 1 else f"{len(files)} pictures"
    st.session_state[_CLIP] = Clip(name, files, shared_picture(digest, first.photo))
    st.session_state[_SERIAL] += 1
    _keep(on=True, source="own")
