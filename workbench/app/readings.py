"""Models, faces, readings and payloads, each made once and shared by all sessions, keyed by content.

Everything here is read-only once made. Models are shared between sessions; that is safe because what a forward pass
records belongs to the context it runs in. Nothing is computed before a page asks for it, and nothing that is made for
a cache looks into a session: what it needs is handed to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, TypeVar, cast

import numpy as np
import streamlit as st
import torch
from PIL import Image

from workbench.app import uploads
from workbench.app.cache import MEGABYTE, Cache
from workbench.app.url_state import Limits, Selection, Shelf
from workbench.axes import GENERAL, Axes
from workbench.effects import EffectReading, Question, ask
from workbench.errors import NoFaceError, WorkbenchError
from workbench.explain import Map, inner_maps
from workbench.faces import Face, Occluder, load_face, occlude, sample_face, sample_names
from workbench.finding import EncodedFace, OtherViews, average_face, encode_face, other_views
from workbench.landmarks import Drawing
from workbench.landmarks.geometry import twins
from workbench.models import FaceModel, ModelCard, list_models, load_model
from workbench.models.card import DEFAULT
from workbench.reading import Encodings, Reading, encodings_of, read
from workbench.shaping import ShapeReading, conventions, find_shape
from workbench.tracing import taps
from workbench.views import Offer, View, offer_of
from workbench.widgets.shape import Answers, answers_to

T = TypeVar("T")
_FIRST_SAMPLE = "astronaut"
_OCCLUDED_SIDE = 640
"""Side in pixels of the crop that an occluder is painted on, before the model's own size is taken from it."""

MODELS: Cache[FaceModel] = Cache(1024 * MEGABYTE)
FACES: Cache[Face] = Cache(384 * MEGABYTE)
ENCODED: Cache[EncodedFace] = Cache(128 * MEGABYTE)
READINGS: Cache[Reading] = Cache(384 * MEGABYTE)
"""Small tensors, but each reading holds its photograph too."""
MADE: Cache[Any] = Cache(256 * MEGABYTE)
"""Payloads of widgets, pictures of the gallery, and what is told of a model."""
ATTRIBUTIONS: Cache[Any] = Cache(128 * MEGABYTE)
"""What was attributed, and its checks: seconds of work each, computed when a person asks for it."""
CACHES = (MODELS, FACES, ENCODED, READINGS, MADE, ATTRIBUTIONS)


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


def model(name: str) -> FaceModel:
    """A trained model by name, loaded once for all sessions. Raises UnknownNameError, CheckpointError."""

    def load() -> FaceModel:
        with st.spinner("Loading the model…"):
            return load_model(name, optimise=True)

    return MODELS.get(name, load)[0]


def offer(name: str) -> Offer:
    """What a model of the shelf has for the views to show."""
    return view("offer", (name,), lambda: offer_of(cards()[name]))


def offering(shown: View) -> list[str]:
    """The models on the shelf that a view can show."""
    return [name for name in cards() if shown.needs.met_by(offer(name))]


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
    def of_photo(cls, photo: uploads.Photo) -> FaceKey:
        """A photograph of this session's own, whole."""
        return cls("", photo.digest, photo.name, 0, None, None)

    @classmethod
    def of(cls, s: Selection) -> FaceKey:
        return cls(s.sample, s.photo, uploads.name_of(s.photo), s.index, s.box, s.factor)


def face(selection: Selection) -> Face:
    """The chosen face. Raises ImageError, NoFaceError, UnknownNameError."""
    key = FaceKey.of(selection)
    picture = uploads.get(key.photo).picture if key.photo else None
    return FACES.get(key, lambda: _face(key, picture), _photos(key))[0]


def _face(key: FaceKey, picture: Image.Image | None) -> Face:
    whole = FaceKey(key.sample, key.photo, key.name, 0, None, None)
    try:
        chosen, _ = FACES.get(("detected", whole), lambda: _detected(whole, picture), _photos(key))
    except NoFaceError:
        if key.box is None or picture is None:
            raise
        chosen = Face(picture, key.box, name=key.name)
    if key.box is not None:
        chosen = chosen.with_box(key.box)
    elif key.index:
        chosen = chosen.with_index(key.index)
    return chosen if key.factor is None else chosen.with_factor(key.factor)


def _detected(key: FaceKey, picture: Image.Image | None) -> Face:
    return sample_face(key.sample) if picture is None else load_face(picture, name=key.name)


def _photos(key: object) -> list[str]:
    """The photographs that a key speaks of."""
    parts = key if isinstance(key, tuple) else (key,)
    return [part.photo for part in parts if isinstance(part, FaceKey) and part.photo]


@dataclass(frozen=True)
class Shown:
    """A reading and whether it was computed just now (else it comes from the cache)."""

    reading: Reading
    fresh: bool
    key: tuple[Hashable, ...]


def reading(selection: Selection, model_name: str | None = None, record: Iterable[str | Axes] = GENERAL) -> Shown:
    """The chosen face as the chosen model (or ``model_name``) reads it; ``record`` as ``read`` takes ``taps``."""
    name = model_name or selection.model
    return _read(face(selection), (FaceKey.of(selection), name), name, tuple(record))


def occluded(
    selection: Selection, occluder: Occluder, record: Iterable[str | Axes] = GENERAL, model_name: str | None = None
) -> Shown:
    """The chosen face with something laid over its crop, as the chosen model (or ``model_name``) reads it; ``record``
    as ``read`` takes ``taps``."""
    name = model_name or selection.model
    key = (FaceKey.of(selection), name, astuple(occluder))
    return _read(covered(selection, occluder), key, name, tuple(record))


def covered(selection: Selection, occluder: Occluder) -> Face:
    """The chosen face with something laid over its crop."""
    plain = face(selection)
    painted, _ = occlude(plain.crop(_OCCLUDED_SIDE), occluder)
    return plain.with_crop(painted)


def _read(a_face: Face, key: tuple[Hashable, ...], name: str, record: tuple[str | Axes, ...] = GENERAL) -> Shown:
    def make() -> Reading:
        network = model(name)
        with _ONE_AT_A_TIME:
            return read(network, a_face, record)

    key = (*key, record)
    return Shown(*READINGS.get(key, make, _photos(key)), key)


def asked(
    selection: Selection, question: Question, donor: Selection | None = None, record: Iterable[str | Axes] = ()
) -> EffectReading:
    """The chosen face under a change of the chosen model, beside its plain reading; ``donor`` is the face that a part
    is taken from. The shared model stays as it is: the change lives in this call alone."""
    key = (FaceKey.of(selection), selection.model, question, None if donor is None else FaceKey.of(donor))
    record = tuple(record)
    chosen, plain = face(selection), reading(selection).reading
    other = None if donor is None else face(donor)

    def make() -> Reading:
        network = model(selection.model)
        with _ONE_AT_A_TIME:
            return ask(network, chosen, question, other, plain, record)

    return cast(EffectReading, READINGS.get((*key, record), make, _photos(key))[0])


# Two forward passes at once on a few cores take as long as one after the other, and then neither time is honest.
_ONE_AT_A_TIME = threading.Lock()


def plane(name: str) -> tuple[Drawing, ...]:
    """The conventions on the face plane of a model that takes structure prompts, its own first."""
    return view("plane", (name,), lambda: tuple(conventions(model(name)).values()))


def shape(selection: Selection, name: str, drawing: Drawing, record: Iterable[str | Axes] = ()) -> ShapeReading:
    """A drawing as the model ``name`` finds it on the chosen face; ``record`` as ``read`` takes ``taps``."""
    record = tuple(record)
    key, chosen = (FaceKey.of(selection), name, drawing.digest, record), face(selection)

    def make() -> ShapeReading:
        network = model(name)
        with _ONE_AT_A_TIME:
            return find_shape(network, chosen, drawing, record)

    return cast(ShapeReading, READINGS.get(key, make, _photos(key))[0])


def encoded_face(selection: Selection, name: str) -> EncodedFace:
    """The chosen face as the decoder of the model ``name`` sees it, made once for any number of drawings."""
    key, chosen = FaceKey.of(selection), face(selection)

    def make() -> EncodedFace:
        network = model(name)
        with _ONE_AT_A_TIME:
            return encode_face(network, chosen)

    return ENCODED.get((key, name), make, _photos(key))[0]


def answers(
    selections: Sequence[Selection], name: str, drawn: Drawing, state: Mapping[str, Any], plane: tuple[Drawing, ...]
) -> Answers:
    """A drawing as the model ``name`` finds it on several faces: the decoder alone runs. Once a drag has ended, the
    first face is looked at otherwise, too."""
    faces = [encoded_face(selection, name) for selection in selections]
    views = None if state.get("live") else seen_otherwise(selections[0], name)
    network = model(name)
    with _ONE_AT_A_TIME:
        return answers_to(network, faces, plane, drawn, state, views)


def seen_otherwise(selection: Selection, name: str) -> OtherViews | None:
    """The chosen face mirrored and cropped otherwise, encoded once; None where its crop is painted."""
    chosen = face(selection)
    if chosen.painted:
        return None

    def make() -> OtherViews:
        network = model(name)
        with _ONE_AT_A_TIME:
            return other_views(network, chosen)

    return view("other-views", (name, FaceKey.of(selection)), make)


def average(name: str) -> np.ndarray:
    """The mean of the frontal sample faces on the plane of the model ``name``."""
    frontal = [n for n in sample_names() if n.startswith("frontal")] or list(sample_names())[:1]

    def make() -> np.ndarray:
        return average_face(model(name), [encoded_face(Selection(sample=n, model=name), name) for n in frontal])

    return view("average", (name,), make)


def listed(name: str) -> tuple[Map, ...]:
    """What a model records, told by the axes of its taps; nothing is read for it."""
    return view("listed", (name,), lambda: tuple(inner_maps(taps(model(name)))))


def view(name: str, key: tuple[Hashable, ...], build: Callable[[], T]) -> T:
    """What a widget is fed with, made once: ``name`` of the view and the ``key`` of what it shows."""
    return MADE.get((name, *key), build, _photos(key))[0]


def attributions(key: tuple[Hashable, ...], build: Callable[[], T]) -> T:
    """Something long, made once."""
    return cast(T, ATTRIBUTIONS.get(key, build, _photos(key))[0])


def side_by_side(name: str) -> tuple[str, ...]:
    """A model and, where there is one, another of the same system with another number of landmarks; fewest first."""
    known = cards()
    if name not in known:
        return (name,)
    card = known[name]
    others = [n for n, c in known.items() if c.system == card.system and c.landmarks != card.landmarks]
    return tuple(sorted((name, *others[:1]), key=lambda n: known[n].landmarks))


def encoded(name: str) -> Encodings:
    """A model's structure encodings; they are weights, so no face is read. Raises TraceError when it has none."""
    return view("encoded", (name,), lambda: encodings_of(model(name)))


def landmark_in(new: str, old: str, landmark: int) -> int | None:
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
    return taken if shown.fresh else f"{taken}; from memory"


def _threads() -> str:
    count = torch.get_num_threads()
    return "1 thread" if count == 1 else f"{count} threads"
