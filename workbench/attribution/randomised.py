"""Does a map depend on what the model has learned? Its likeness to maps of the same model with scrambled weights.

The cascading randomisation of Adebayo et al. 2018, "Sanity checks for saliency maps": from the answer back to the
pixels, more and more layers lose their weights. A map that stays the same shows the picture, not the model.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from workbench.attribution.answers import Progress
from workbench.attribution.attribute import attribute
from workbench.attribution.checks import spearman
from workbench.attribution.result import Attribution
from workbench.errors import Cancelled, WorkbenchError

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel

STEPS = 4


@dataclass(frozen=True)
class Randomised:
    """Likeness of a map to those of a model that forgets layer by layer, from the answer back to the pixels.

    Attributes:
        shares: (K,) of the layers with weights that were scrambled, 0 first.
        correlation: (K,) rank correlation of the absolute maps with the map of the whole model.
        reached: (K,) the layer that the scrambling reached, "" for none.
        caption: the result in words.
    """

    shares: np.ndarray
    correlation: np.ndarray
    reached: tuple[str, ...]
    caption: str
    seconds: float


def randomised(
    model: FaceModel, face: Face, of: Attribution, steps: int = STEPS, seed: int = 0, progress: Progress | None = None
) -> Randomised:
    """The randomised-weights check of a map, cascading.

    Scrambled means that the values of each tensor of a layer change places at random, so that their distribution
    stays; the model itself is not touched. Costs ``steps`` times what the map did.

    Args:
        steps: how often more layers are scrambled, the last time all.
        progress: told (maps done, maps).

    Raises:
        Cancelled: ``progress`` answered False.
    """
    start = time.perf_counter()
    layers = [(name, m) for name, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))]
    generator = torch.Generator().manual_seed(seed)
    twin = copy.deepcopy(model)
    own = dict(twin.named_modules())
    found, reached, shares, done = [1.0], [""], [0.0], len(layers)
    settings = vars(of.settings)
    for step in range(1, steps + 1):
        stop = round(len(layers) * (1 - step / steps))
        for name, _ in layers[stop:done]:
            scramble(own[name], generator)
        done = stop

        def told(passes: int, total: int, step: int = step) -> object:
            return None if progress is None else progress((step - 1) * total + passes, steps * total)

        try:
            again = attribute(twin, face, of.landmark, of.target, of.method, progress=told, **settings)
            likeness = spearman(np.abs(of.map).ravel(), np.abs(again.map).ravel())
        except Cancelled:
            raise
        except WorkbenchError:
            likeness = float("nan")  # its answer is no number any more
        found.append(likeness)
        reached.append(layers[stop][0])
        shares.append(1 - stop / len(layers))
    last = found[-1]
    verdict = (
        "no longer a number" if np.isnan(last) else f"{last:.2f}: " + (
            "much of this map does not come from what the model has learned" if last > 0.5
            else "the map depends on what the model has learned"
        )
    )  # fmt: skip
    caption = (
        f"Rank correlation of the absolute map with that of the same model after the weights of {len(layers)} layers "
        f"were scrambled, from the answer back to the pixels; with all of them {verdict}."
    )
    return Randomised(np.array(shares), np.array(found), tuple(reached), caption, time.perf_counter() - start)


def scramble(module: nn.Module, generator: torch.Generator) -> None:
    """Let the values of each of a module's own parameters change places."""
    with torch.no_grad():
        for parameter in module.parameters(recurse=False):
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
