"""What an intervention does to an answer: landmarks before and after, in pixels and in parts of the eyes' distance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import TraceError
from workbench.landmarks import Scheme
from workbench.reading import Reading, read
from workbench.tracing import Edit, caption_of, intervene

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel


@dataclass(frozen=True)
class Effect:
    """One face read by one model, plain and under edits.

    Attributes:
        scheme: of the landmarks.
        before, after: (N, 2) pixels of the photograph as it was given.
        displacement: (N,) how far each landmark moved, pixels of the photograph.
        percent: (N,) the same in percent of the distance of the outer eye corners before; None where the scheme has
            no eye corners.
        sigma_before, sigma_after: (N, 2) predicted standard deviations along x and y of the crop, in pixels of the
            photograph; None without an uncertainty.
        edits: tap path or pattern -> what was done there.
        caption: the result in words.
        turn: (3,) change of yaw, pitch and roll in degrees; None where the model tells no pose.
    """

    scheme: Scheme
    before: np.ndarray
    after: np.ndarray
    displacement: np.ndarray
    percent: np.ndarray | None
    sigma_before: np.ndarray | None
    sigma_after: np.ndarray | None
    edits: dict[str, list[str]]
    caption: str
    turn: np.ndarray | None = None

    @property
    def sigma_change(self) -> np.ndarray | None:
        """(N,) change of the geometric mean of both deviations, pixels of the photograph; None without an
        uncertainty."""
        if self.sigma_before is None or self.sigma_after is None:
            return None
        return np.sqrt(self.sigma_after.prod(1)) - np.sqrt(self.sigma_before.prod(1))


def effect(model: FaceModel, face: Face, edits: Mapping[str, Edit | Iterable[Edit]]) -> Effect:
    """What edits of a model's taps do to its answer on one face.

    Args:
        model: from ``load_model``.
        face: from ``load_face`` or ``sample_face``.
        edits: as :func:`workbench.tracing.intervene` takes them.

    Raises:
        UnknownNameError: a pattern matches no tap.
        TraceError: a tap cannot be edited, or an edit does not fit it.
        CheckpointError: the edited model answers with values that are not finite.
    """
    listed = {path: [given] if callable(given) else list(given) for path, given in edits.items()}
    plain = read(model, face, taps=())
    with intervene(model, listed):
        changed = read(model, face, taps=())
    said = {path: [caption_of(edit) for edit in made] for path, made in listed.items()}
    return between(plain, changed, said)


def between(plain: Reading, changed: Reading, said: Mapping[str, list[str]] | None = None) -> Effect:
    """The effect that lies between two readings of one face by models of one scheme.

    Args:
        said: tap path or pattern -> what was done there; for the caption.

    Raises:
        TraceError: the readings' landmarks are not the same ones.
    """
    if plain.scheme.name != changed.scheme.name or plain.scheme.count != changed.scheme.count:
        raise TraceError("Two answers can be compared landmark by landmark only where both have the same landmarks.")
    displacement = np.linalg.norm(changed.landmarks - plain.landmarks, axis=1)
    percent = None
    if plain.scheme.eye_corners is not None:
        left, right = plain.landmarks[list(plain.scheme.eye_corners)]
        eyes = float(np.linalg.norm(right - left))
        percent = 100 * displacement / eyes if eyes > 0 else None
    has_sigma = plain.alignment.variance is not None and changed.alignment.variance is not None
    poses = [r.alignment.pose for r in (plain, changed)]
    turn = None
    if poses[0] is not None and poses[1] is not None:
        turn = np.rad2deg((poses[1] - poses[0])[0].cpu().double().numpy())
    done = "; ".join(f"{path} {', then '.join(words)}" for path, words in (said or {}).items())
    return Effect(
        scheme=plain.scheme,
        before=plain.landmarks,
        after=changed.landmarks,
        displacement=displacement,
        percent=percent,
        sigma_before=plain.sigma() * plain.face.original_side if has_sigma else None,
        sigma_after=changed.sigma() * changed.face.original_side if has_sigma else None,
        edits=dict(said or {}),
        caption=_words(done or "compared", displacement, percent),
        turn=turn,
    )


def _words(done: str, displacement: np.ndarray, percent: np.ndarray | None) -> str:
    shares = "" if percent is None else f" ({percent.mean():.2f} % of the eyes' distance)"
    return (
        f"{done}: landmarks move by {displacement.mean():.2f} px of the photograph on average{shares}, "
        f"{displacement.max():.2f} px at most"
    )
