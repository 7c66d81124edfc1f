"""What every system answers with."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from workbench.errors import TraceError
from workbench.tracing import check_index


@dataclass(frozen=True)
class Alignment:
    """The result of one forward pass over a batch of B crops of S x S pixels; what a system does not give is None.

    Crop pixels are those of the input: ``pixel = S * normalised``.

    Attributes:
        landmarks: (B, N, 2), the final answer in crop pixels.
        stages: (stage, layer, B, N, 2), every intermediate answer in crop pixels.
        variance: (stage, layer, B, N, 2), predicted variance per axis in patch units squared, as the head gives
            it (DSLPT: the patch is one unit wide). :meth:`sigma` turns it into pixels.
        rects: (stage, B, N, 4), the patches as x0, y0, width, height in crop pixels.
        heatmaps: (B, N, h, w).
        pose: (B, 3), yaw, pitch, roll in radians.
        confidence: (B,), probability of a face.
        visible: (B, h, w), probability that a cell of a map over the crop shows the face and nothing that covers it.
        likelihood: what the variance was trained with, "gaussian" or "laplace".
        size_rule: by what a patch's side is multiplied from stage to stage (thesis 5.2.2): "halve" by 1/2; with v the
            larger variance of its last layer, "variance" by clamp(factor v), "deviation" by clamp(factor sqrt(v)).
        size_factor, size_limits: factor, floor and ceiling of the last two.
    """

    landmarks: Tensor
    stages: Tensor | None = None
    variance: Tensor | None = None
    rects: Tensor | None = None
    heatmaps: Tensor | None = None
    pose: Tensor | None = None
    confidence: Tensor | None = None
    visible: Tensor | None = None
    likelihood: str | None = None
    size_rule: str | None = None
    size_factor: float | None = None
    size_limits: tuple[float, float] | None = None

    def sigma(self, stage: int = -1, layer: int = -1) -> Tensor:
        """Predicted standard deviation in crop pixels, (B, N, 2): sqrt(variance) times the patch's size (Eq. 5.6).

        Raises:
            TraceError: the system predicts no variance, or there is no such stage or layer.
        """
        if self.variance is None or self.rects is None:
            raise TraceError("This system predicts no uncertainty; choose a DSLPT model.")
        check_index("stage", stage, self.variance.shape[0])
        check_index("layer", layer, self.variance.shape[1])
        return self.variance[stage, layer].sqrt() * self.rects[stage, ..., 2:]
