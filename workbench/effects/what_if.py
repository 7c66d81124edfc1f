"""What if: one part of one recorded tensor knocked out, scrambled, made uniform, or taken from another face.

A question is told by plain values, so that a page and the shell ask the same one. What can be asked follows from a
tap's axes alone, never from its system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.axes import ENCODINGS, LANDMARK_PAIRS, Axes, own
from workbench.effects.effect import Effect, between
from workbench.errors import TraceError, UnknownNameError
from workbench.reading import Reading, read
from workbench.tracing import Edit, Trace, caption_of, intervene, layers_of, taps
from workbench.tracing.edits import Level, OnStage, Replace, Shuffle, Uniform, Within, Zero
from workbench.tracing.tap import matching

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel

ACTS: Mapping[str, str] = {
    "knock_out": "knock out",
    "scramble": "scramble",
    "uniform": "make uniform",
    "donor": "take from another face",
}
"""What can be done, and its words on a button."""
_ROWS, _COLUMNS = ("query_landmark", "query_y", "query_x"), ("key_landmark", "key_y", "key_x")
At = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Question:
    """What is done to which part of a tensor.

    Attributes:
        tap: its path, or a glob pattern of several.
        act: one of :data:`ACTS`.
        at: (axis, entry) pairs that single a part out, such as ``(("head", 2), ("query_landmark", 30))``; all of it
            where empty.
        stage: in which stage, from 0; None in all.
    """

    tap: str
    act: str
    at: At = ()
    stage: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class EffectReading(Reading):
    """The answer under a change, with the one without it.

    Attributes:
        plain: the reading without the change.
        tensor: what was changed, a tap's path or pattern; "" where two readings are compared.
        where: which part of it, in words; "" for all.
        done: what was done there, in words; of two readings that are compared, which ones.
        from_words: what the arrows begin at.
    """

    plain: Reading
    tensor: str = ""
    where: str = ""
    done: str = ""
    from_words: str = "the answer without the change"

    @cached_property
    def effect(self) -> Effect:
        """What the change does. Raises TraceError where the landmarks are not the same ones."""
        return between(self.plain, self, {self.tensor or "compared": [f"{self.where} {self.done}".strip()]})


def beside(plain: Reading, changed: Reading, **words: Any) -> EffectReading:
    """A reading that carries the one it is compared with; ``words`` are the other attributes."""
    held = {field.name: getattr(changed, field.name) for field in fields(Reading)}
    return EffectReading(**held, plain=plain, **words)


def compare(plain: Reading, changed: Reading) -> EffectReading:
    """Two readings side by side: another face, another model, or the same under a change; ``.effect`` holds what
    lies between them, ``.effect.caption`` says it.

    Raises:
        TraceError: the landmarks are not the same ones.
    """
    said = [f"{reading.face.name} by {reading.model_name}" for reading in (changed, plain)]
    both = beside(plain, changed, done=" against ".join(dict.fromkeys(said)), from_words="the first answer")
    both.effect  # noqa: B018  (says what does not fit)
    return both


def acts(axes: Axes, at: Iterable[str] = ()) -> list[str]:
    """What can be done to a part of a tensor.

    Args:
        axes: of its tap, batch and stage left out or not.
        at: the axes along which one entry is singled out.
    """
    several = bool(_along(own(axes), set(at)))
    constant = own(axes) in ENCODINGS  # the same for every face: nothing to take from another
    return [
        act for act in ACTS if (several or act not in ("scramble", "uniform")) and not (constant and act == "donor")
    ]


def parts(axes: Axes, chosen: Mapping[str, int]) -> dict[str, At]:
    """Which parts of a tensor can be asked about, by name, the largest first.

    Args:
        axes: of its tap.
        chosen: axis -> the entry that a view has singled out; axes of which it shows all or a mean are left out.

    Returns:
        "all" (of the chosen head, where one is chosen), "row" and "column" of weights, one "edge", and "one" entry of
        any other axis.
    """
    axes = own(axes)
    head: At = (("head", chosen["head"]),) if "head" in chosen and "head" in axes else ()
    found: dict[str, At] = {"all": head}
    for name, ends in (("row", _ROWS), ("column", _COLUMNS)):
        there = [axis for axis in ends if axis in axes]
        if there and all(axis in chosen for axis in there):
            found[name] = (*head, *((axis, chosen[axis]) for axis in there))
    if "row" in found and "column" in found:
        found["edge"] = (*found["row"], *found["column"][len(head) :])
    others = [axis for axis in axes if axis in chosen and axis not in ("head", *_ROWS, *_COLUMNS)]
    if others:
        found["one"] = (*head, *((axis, chosen[axis]) for axis in others))
    return found


def _along(axes: Axes, fixed: set[str]) -> tuple[str, ...]:
    """Along which axes entries are exchanged or levelled: keys, places of a map, branches, landmarks, channels; of
    those along which one entry is singled out there is nothing to exchange, so that the queries or the numbers of
    that entry are."""
    orders = (
        ("key_landmark",), ("key_y", "key_x"), ("key_token",), ("y", "x"), ("branch",), ("query_landmark",),
        ("query_y", "query_x"), ("landmark",), ("node",),
    )  # fmt: skip
    for wanted in orders:
        if all(axis in axes and axis not in fixed for axis in wanted):
            return wanted
    rest = [axis for axis in axes if axis not in fixed and axis != "head"]
    return (rest[-1],) if rest else ()


def edit_of(question: Question, axes: Axes, donor: Trace | None = None, seed: int = 0) -> Edit:
    """The edit that a question stands for.

    Args:
        axes: of the tap.
        donor: a trace of the face that the part is taken from.

    Raises:
        UnknownNameError: there is no such act.
        TraceError: the act means nothing for this part, or there is no donor.
    """
    axes = own(axes)
    if question.act not in ACTS:
        raise UnknownNameError(f"There is no '{question.act}'; choose one of {', '.join(ACTS)}.")
    if question.act not in acts(axes, [axis for axis, _ in question.at]):
        raise TraceError(f"{question.tap} cannot be asked that there: its axes are {', '.join(axes)}.")
    along = _along(axes, {axis for axis, _ in question.at})
    edit: Edit
    if question.act == "knock_out":
        edit = Zero()
    elif question.act == "scramble":
        edit = Shuffle(along, seed)
    elif question.act == "uniform":
        edit = Uniform(along) if along[0].startswith("key") else Level(along)
    elif donor is None:
        raise TraceError("Choose the face that this is taken from.")
    else:
        edit = Replace(donor, "taken from another face")
    if question.at:
        edit = Within(edit, question.at)
    return edit if question.stage is None else OnStage(edit, question.stage)


def ask(
    model: FaceModel,
    face: Face,
    question: Question,
    donor: Face | None = None,
    plain: Reading | None = None,
    record: Iterable[str | Axes] = (),
) -> EffectReading:
    """Read a face under a question, beside the plain reading.

    Args:
        model: from ``load_model``; it is changed within this call alone.
        donor: the face that the part is taken from, where the act is "donor".
        plain: what ``read`` gives for model and face, where it is there already.
        record: what of the changed forward pass is recorded, as ``read`` takes ``taps``; nothing by default.

    Raises:
        UnknownNameError: no such tap or act.
        TraceError: the tap only observes, or the act means nothing there.
    """
    there = matching(model, [question.tap])
    source = None
    if question.act == "donor" and donor is not None:
        source = read(model, donor, taps=[question.tap]).trace
    axes = {own(tap.axes) for tap in there.values()}
    if len(axes) > 1:
        raise TraceError(f"The tensors of {question.tap} have different axes; ask about one of them.")
    edit = edit_of(question, next(iter(axes)), source)
    plain = plain or read(model, face, taps=())
    with intervene(model, {question.tap: edit}):
        changed = read(model, face, taps=tuple(record))
    whose = f"taken from {donor.name}" if donor is not None and question.act == "donor" else ""
    bare = edit.edit if isinstance(edit, OnStage) else edit
    done = whose or caption_of(bare.edit if isinstance(bare, Within) else bare)
    return beside(plain, changed, tensor=question.tap, where=where(question, plain), done=done)


def where(question: Question, reading: Reading) -> str:
    """Stage and part of a question in words, counted from 1 as on the page, landmarks by their names."""
    said = []
    if question.stage is not None:
        said.append(f"stage {question.stage + 1}")
    for axis, entry in question.at:
        name = axis.replace("_", " ")
        if "landmark" in axis and entry < reading.scheme.count:
            said.append(f"{name.removesuffix(' landmark')} {reading.scheme.label(entry)} ({entry})")
        else:
            said.append(f"{name} {entry + 1}" if axis == "head" else f"{name} {entry}")
    return ", ".join(said)


def head_effects(
    model: FaceModel,
    face: Face,
    kind: str,
    stage: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> np.ndarray:
    """How far the landmarks move when each head of each layer is knocked out in turn.

    Args:
        kind: of the weights between landmarks, as ``explain.relation_kinds`` names it.
        stage: in which stage, from 0; None in all.
        progress: told after each pass how many of how many are done; what it raises ends the work.

    Returns:
        (layer, head + 1, 2): mean displacement over the landmarks in pixels of the photograph and in percent of the
        distance of the outer eye corners (NaN without); the last head stands for all heads of its layer together.

    Raises:
        UnknownNameError: the model has no such weights.
    """
    known = taps(model)
    found = next((layers for layers in layers_of(known, LANDMARK_PAIRS) if layers.name == kind), None)
    if found is None:
        raise UnknownNameError(f"{model.name} has no weights between landmarks called '{kind}'.")
    plain = read(model, face, taps=list(found.paths))
    entry = plain.trace[found.paths[0]].shape
    heads: list[int | None] = [*range(entry["head"]), None] if entry.get("head", 1) > 1 else [None]
    out = np.full((len(found.paths), len(heads), 2), np.nan)
    for done, (layer, h) in enumerate(np.ndindex(out.shape[:2])):
        head = heads[h]
        at: At = () if head is None else (("head", head),)
        moved = ask(model, face, Question(found.paths[layer], "knock_out", at, stage), plain=plain).effect
        out[layer, h, 0] = moved.displacement.mean()
        if moved.percent is not None:
            out[layer, h, 1] = moved.percent.mean()
        progress(done + 1, out.shape[0] * out.shape[1])
    return out
