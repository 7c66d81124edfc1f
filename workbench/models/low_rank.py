"""Shapes through a low-rank matrix (AODN): smooth changes of a face, and what each rank of the matrix answers."""

from __future__ import annotations

import torch
from torch import Tensor


def smooth_basis(points: Tensor, count: int, reach: float = 0.2) -> Tensor:
    """The smoothest ways in which points can move along one axis, most common first.

    They are the leading eigenvectors of the kernel exp(-distance / reach): a face about which nothing is known but
    that near points move together.

    Args:
        points: (N, 2) in [0, 1].
        count: how many; at most N are there.
        reach: in the unit of the points.

    Returns:
        (N, min(count, N)), orthonormal columns.
    """
    kernel = torch.exp(-torch.cdist(points.double(), points.double()) / reach)
    vectors = torch.linalg.eigh(kernel).eigenvectors.flip(-1)
    return vectors[:, :count].to(points.dtype)


def by_rank(matrix: Tensor, code: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The answers S = W^T M^T x + b, were M cut to its r largest singular values, for every r at once.

    With M = U D V^T that is W^T V_r V_r^T (M^T x) + b, so the code that was computed is enough: each right singular
    vector adds a part of its own, and the parts are summed up from the largest singular value to the smallest.

    Args:
        matrix: M, (inputs, R).
        code: M^T x, (B, R).
        weight, bias: W^T (outputs, R) and b (outputs,).

    Returns:
        (B, R + 1, outputs), of rank 0 (the bias alone) to R (the answer itself); and the singular values (R,).
    """
    _, sizes, right = torch.linalg.svd(matrix.float(), full_matrices=False)
    # Sums instead of matrix products: this is computed for looking only, and is not counted among the model's.
    along = (code.float()[:, None] * right).sum(-1)  # (B, R)
    moves = (weight.float()[:, None] * right).sum(-1)  # (outputs, R)
    parts = along[:, :, None] * moves.T
    start = bias.float().expand(len(code), 1, -1)
    return torch.cat([start, bias.float() + parts.cumsum(1)], 1), sizes
