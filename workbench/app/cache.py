"""Models, faces, readings and payloads, each made once and shared: bounded caches, keyed by content.

Everything here is read-only once made. Models are shared between sessions; that is safe because what a forward pass
records belongs to the context it runs in. Nothing is computed before a page asks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import astuple, dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
import torch

from workbench.app import uploads
from workbench.app.url_state import Limits, Selection, Shelf
from workbench.errors import NoFaceError, TraceError, WorkbenchError
from workbench.explain import Map, inner_maps
from workbench.faces import Face, Occluder, load_face, occlude, sample_face, sample_names
from workbench.landmarks import Drawing, Scheme
from workbench.landmarks.geometry import twins
from workbench.models import FaceModel, ModelCard, list_models, load_model
from workbench.models.zoo import DEFAULT
from workbench.reading import ATTENTION_TAPS, Reading, read
from workbench.shaping import ShapeReading, conventions, find_shape
from workbench.tracing import taps

T = TypeVar("T")
_FIRST_SAMPLE = "astronaut"
_OCCLUDED_SIDE = 640
"""Side in pixels of the crop that an occluder is painted on, before the model's own size is taken from it."""


@st.cache_resource(ttl=60, show_spinner=False)
def cards() -> dict[str, ModelCard]:
    """The shelf's model cards by name."""
    return {card.name: card for card in list_models()}


def shelf() -> Shelf:
    """What can be chosen."""
    samples = tuple(sample_names())
    models = {name: Limits.of(card) for name, card in cards().items()}
    return Shelf(
        samples=samples,
        models=models,
        default_sample=_FIRST_SAMPLE if _FIRST_SAMPLE in samples else next(iter(samples), ""),
        default_model=DEFAULT if DEFAULT in models else next(iter(models), DEFAULT),
    )


@st.cache_resource(max_entries=16, show_spinner="Loading the model…")
def model(name: str) -> FaceModel:
    """A trained model by name, loaded once for all sessions. Raises UnknownNameError, CheckpointError."""
    return load_model(name)


@dataclass(frozen=True)
class FaceKey:
    """What a face is made from, by content: the sample's name or the photograph's SHA-256, and the crop; and what this
    session calls it, for another may have the same picture under another name."""

    sample: str
    photo: str
    name: str
    index: int
    box: tuple[float, float, float, float] | None
    factor: float | None

    @classmethod
    def of(cls, s: Selection) -> FaceKey:
        return cls(s.sample, s.photo, uploads.name_of(s.photo), s.index, s.box, s.factor)


def face(selection: Selection) -> Face:
    """The chosen face. Raises ImageError, NoFaceError, UnknownNameError."""
    return _face(FaceKey.of(selection))


@st.cache_resource(max_entries=48, show_spinner=False)
def _face(key: FaceKey) -> Face:
    try:
        chosen = _detected(key.sample, key.photo, key.name)
    except NoFaceError:
        if key.box is None:
            raise
        photo = uploads.get(key.photo)
        chosen = Face(photo.picture, key.box, name=photo.name)
    if key.box is not None:
        chosen = chosen.with_box(key.box)
    elif key.index:
        chosen = chosen.with_index(key.index)
    return chosen if key.factor is None else chosen.with_factor(key.factor)


@st.cache_resource(max_entries=24, show_spinner=False)
def _detected(sample: str, photo: str, name: str) -> Face:
    return sample_face(sample) if sample else load_face(uploads.get(photo).picture, name=name)


@dataclass(frozen=True)
class Shown:
    """A reading and whether it was computed just now (else it comes from the cache)."""

    reading: Reading
    fresh: bool
    key: tuple[Hashable, ...]


def reading(selection: Selection, model_name: str | None = None) -> Shown:
    """The chosen face as the chosen model (or ``model_name``) reads it."""
    name = model_name or selection.model
    return _read(face(selection), (FaceKey.of(selection), name), name)


def occluded(selection: Selection, occluder: Occluder) -> Shown:
    """The chosen face with something laid over its crop, as the chosen model reads it."""
    plain = face(selection)
    painted, _ = occlude(plain.crop(_OCCLUDED_SIDE), occluder)
    key = (FaceKey.of(selection), selection.model, astuple(occluder))
    return _read(plain.with_crop(painted), key, selection.model)


@st.cache_resource(max_entries=8, show_spinner=False)
def plane(name: str) -> tuple[Drawing, ...]:
    """The conventions on the face plane of a model that takes structure prompts, its own first."""
    return tuple(conventions(model(name)).values())


def shape(selection: Selection, name: str, drawing: Drawing) -> ShapeReading:
    """A drawing as the model ``name`` finds it on the chosen face."""
    return _cached_shape((FaceKey.of(selection), name, drawing.digest), face(selection), name, drawing)


@st.cache_resource(max_entries=32, show_spinner=False)
def _cached_shape(key: tuple[Hashable, ...], _face: Face, _name: str, _drawing: Drawing) -> ShapeReading:
    network = model(_name)
    with _ONE_AT_A_TIME:
        return find_shape(network, _face, _drawing)


def _read(a_face: Face, key: tuple[Hashable, ...], name: str) -> Shown:
    computed: list[bool] = []
    return Shown(_cached_reading(key, a_face, name, computed), bool(computed), key)


@st.cache_resource(max_entries=64, show_spinner=False)
def _cached_reading(key: tuple[Hashable, ...], _face: Face, _name: str, _computed: list[bool]) -> Reading:
    network = model(_name)
    with _ONE_AT_A_TIME:
        result = read(network, _face, ATTENTION_TAPS)
    _computed.append(True)
    return result


# Two forward passes at once on a few cores take as long as one after the other, and then neither time is honest.
_ONE_AT_A_TIME = threading.Lock()


def listed(name: str) -> tuple[Map, ...]:
    """What a model records, told by the axes of its taps; nothing is read for it."""
    return view("listed", (name,), lambda: tuple(inner_maps(taps(model(name)))))


def inside(selection: Selection, tap: str, model_name: str | None = None) -> Shown:
    """The chosen face with one tap recorded ("" for none), as the chosen model (or ``model_name``) reads it.

    Tensors can be large, so only the last few are kept.
    """
    name = model_name or selection.model
    key = (FaceKey.of(selection), name, tap)
    computed: list[bool] = []
    return Shown(_cached_inside(key, face(selection), name, tap, computed), bool(computed), key)


@st.cache_resource(max_entries=6, show_spinner=False)
def _cached_inside(key: tuple[Hashable, ...], _face: Face, _name: str, _tap: str, _computed: list[bool]) -> Reading:
    network = model(_name)
    with _ONE_AT_A_TIME:
        result = read(network, _face, (_tap,) if _tap else ())
    _computed.append(True)
    return result


def view(name: str, key: tuple[Hashable, ...], build: Callable[[], T]) -> T:
    """What a widget is fed with, made once: ``name`` of the view and the ``key`` of what it shows."""
    return _cached_view(name, key, build)


@st.cache_resource(max_entries=96, show_spinner=False)
def _cached_view(name: str, key: tuple[Hashable, ...], _build: Callable[[], Any]) -> Any:
    return _build()


def side_by_side(name: str) -> tuple[str, ...]:
    """A model and, where there is one, another of the same system with another number of landmarks; fewest first."""
    known = cards()
    if name not in known:
        return (name,)
    card = known[name]
    others = [n for n, c in known.items() if c.system == card.system and c.landmarks != card.landmarks]
    return tuple(sorted((name, *others[:1]), key=lambda n: known[n].landmarks))


def encoded(name: str) -> tuple[Scheme, np.ndarray, np.ndarray, str]:
    """Scheme, mean shape (N, 2), structure encodings (N, d) and title of a model. They are weights: no face is read.

    Raises:
        TraceError: the model has no structure encodings.
    """
    network = model(name)
    weights = dict(network.named_parameters()).get("relation.structure_encoding")
    if weights is None:
        raise TraceError(f"{name} has no structure encodings; choose an SLPT or DSLPT model.")
    vectors = weights.detach()[0].float().cpu().numpy()
    shape = network.mean_shape.detach().cpu().numpy().astype(np.float64)
    return network.scheme, shape, vectors, f"{network.scheme.count} points · {name}"


def twin(old: str, new: str, landmark: int) -> int | None:
    """The landmark of the model ``new`` that lies where ``landmark`` lies in the model ``old``; None without one."""
    try:
        a, b = model(old), model(new)
    except WorkbenchError:
        return None
    if a.scheme.name == b.scheme.name:
        return landmark
    found = twins(a.scheme, a.mean_shape.cpu().numpy(), b.scheme, b.mean_shape.cpu().numpy())[landmark]
    return None if found < 0 else found


def timing(shown: Shown) -> str:
    """How long the forward pass took and where, in words."""
    r = shown.reading
    where = f"CPU, {_threads()}" if r.device == "cpu" else f"GPU ({torch.cuda.get_device_name(r.device)})"
    taken = f"read in {1000 * r.seconds:.0f} ms on {where}"
    return taken if shown.fresh else f"{taken}; now shown from memory"


def _threads() -> str:
    count = torch.get_num_threads()
    return "1 thread" if count == 1 else f"{count} threads"
