"""Graphs over landmarks: which are neighbours, and convolutions that pass messages between them."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.errors import DataError
from workbench.files import decoded
from workbench.tracing import Tap


def read_edges(path: str | PathLike[str], landmarks: int) -> Tensor:
    """Directed edges (E, 2) from a file of lines ``i j weight``: landmark j is a neighbour of i.

    The weight is checked but not used: in the published training it only chose the neighbours.

    Raises:
        DataError: no such file, or a line that is not an edge between two different landmarks, or one that is there
            twice.
    """
    file = Path(path)
    try:
        lines = decoded(file.read_bytes()).splitlines()
    except (OSError, ValueError):
        raise DataError(f"The edge file {file} cannot be read; give a text file of lines 'i j weight'.") from None
    edges: dict[tuple[int, int], int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"Line {number} of {file.name}"
        parts = line.replace(",", " ").replace(";", " ").split()
        try:
            i, j = int(parts[0]), int(parts[1])
            weight = float(parts[2])
        except (ValueError, IndexError):
            parts, i, j, weight = [], 0, 0, 0.0
        if len(parts) != 3:
            raise DataError(f"{where} must be 'i j weight', two landmark numbers and a weight, not '{line.strip()}'.")
        if not (0 <= i < landmarks and 0 <= j < landmarks):
            raise DataError(f"{where} joins {i} and {j}, but the landmarks are numbered 0 to {landmarks - 1}.")
        if i == j:
            raise DataError(f"{where} joins landmark {i} with itself; leave it out, every node sees itself anyway.")
        if not (math.isfinite(weight) and weight > 0):
            raise DataError(f"{where} has the weight {parts[2]}; it must be a positive number.")
        if (i, j) in edges:
            raise DataError(f"{where} repeats the edge {i} {j} of line {edges[i, j]}; keep one of them.")
        edges[i, j] = number
    if not edges:
        raise DataError(f"The edge file {file.name} holds no edge; give lines 'i j weight'.")
    return torch.tensor(list(edges), dtype=torch.long)


def nearest_edges(mean_shape: Tensor, neighbours: int = 3) -> Tensor:
    """Directed edges (N * neighbours, 2) from each landmark to the nearest others on the mean face (N, 2)."""
    distance = torch.cdist(mean_shape.double(), mean_shape.double()).fill_diagonal_(torch.inf)
    near = distance.argsort(dim=1, stable=True)[:, : min(neighbours, len(mean_shape) - 1)]
    start = torch.arange(len(mean_shape), device=near.device)[:, None].expand_as(near)
    return torch.stack([start, near], -1).flatten(0, 1)


def adjacency_matrix(edges: Tensor, landmarks: int) -> Tensor:
    """Directed edges (E, 2) -> bool (N, N), True at [i, j] when j is a neighbour of i.

    Raises:
        DataError: another shape, a number that is no landmark, or an edge from a landmark to itself.
    """
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.is_floating_point():
        raise DataError(f"The edges must be whole numbers of shape (E, 2), not {tuple(edges.shape)}.")
    if len(edges) and (int(edges.min()) < 0 or int(edges.max()) >= landmarks):
        raise DataError(f"An edge names a landmark outside 0 to {landmarks - 1}; give edges of this scheme.")
    if bool((edges[:, 0] == edges[:, 1]).any()):
        raise DataError("An edge joins a landmark with itself; leave it out, every node sees itself anyway.")
    out = torch.zeros(landmarks, landmarks, dtype=torch.bool, device=edges.device)
    out[edges[:, 0], edges[:, 1]] = True
    return out


def graph_mask(adjacency: Tensor) -> Tensor:
    """Where messages pass: the directed graph (N, N) made symmetric, with self-loops."""
    return adjacency | adjacency.T | torch.eye(len(adjacency), dtype=torch.bool, device=adjacency.device)


def relative_matrix(adjacency: Tensor) -> Tensor:
    """P, float (N, N): rows that average a landmark's directed neighbours, minus the landmark itself.

    ``P @ S`` is where the neighbours' mean lies, seen from each landmark. The graph is not made symmetric here. A
    landmark without neighbours keeps its -1 alone, as published: its row compares its own position.

    Args:
        adjacency: bool (N, N), True at [i, j] when j is a neighbour of i; no self-loops.
    """
    rows = adjacency.float()
    return rows / rows.sum(1, keepdim=True).clamp_min(1) - torch.eye(len(rows), device=rows.device)


class GraphConv(nn.Module):
    """Graph convolution with one weight matrix for the node itself, one for its neighbours, and learned edges.

    ``A`` is the softmax over each row's linked nodes of one logit an edge (row-major order, initially alike), and

        out = (A o I) X W0 + (A o (1 - I)) X W1 + b.

    With ``dynamic_dim`` the logit of an edge from i to j gains q_i . k_j / sqrt(d), so that a node can turn away from
    a neighbour that it should not trust on this very face; q starts at zero, which is the static layer.
    """

    def __init__(self, cin: int, cout: int, links: int, dynamic_dim: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2, cin, cout))
        self.logits = nn.Parameter(torch.ones(1, links))
        self.bias = nn.Parameter(torch.empty(cout))
        for weight in self.weight.data:
            nn.init.xavier_uniform_(weight, gain=1.414)
        nn.init.uniform_(self.bias, -1 / math.sqrt(cout), 1 / math.sqrt(cout))
        self.query = nn.Linear(cin, dynamic_dim) if dynamic_dim else None
        self.key = nn.Linear(cin, dynamic_dim) if dynamic_dim else None
        if self.query is not None:
            nn.init.zeros_(self.query.weight)
            nn.init.zeros_(self.query.bias)
        self.adjacency = Tap("query_landmark", "key_landmark")
        self.learned = Tap("node", "neighbour", observer=True)

    def edges(self, x: Tensor, mask: Tensor) -> Tensor:
        """A, (1, N, N), or (B, N, N) when dynamic. ``x`` (B, N, cin), ``mask`` (N, N) True where linked."""
        scores = self._logits(mask)
        if self.query is not None and self.key is not None:
            q, k = self.query(x), self.key(x)
            scores = scores + q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        return scores.masked_fill(~mask, -torch.inf).softmax(-1)

    def _logits(self, mask: Tensor) -> Tensor:
        return torch.zeros_like(mask, dtype=self.logits.dtype).masked_scatter(mask, self.logits)[None]

    def mix(self, x: Tensor, edges: Tensor) -> Tensor:
        """The convolution with ready edge weights: (B, N, cin), (1 or B, N, N) -> (B, N, cout)."""
        own = edges.diagonal(dim1=1, dim2=2)
        return own[..., None] * (x @ self.weight[0]) + (edges - own.diag_embed()) @ (x @ self.weight[1]) + self.bias

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, N, cin), (N, N) -> (B, N, cout). While ``learned`` records, it tells A by the logits alone."""
        if self.learned.active:
            self.learned(self._logits(mask).masked_fill(~mask, -torch.inf).softmax(-1))
        return self.mix(x, self.adjacency(self.edges(x, mask)))


class GraphBlock(nn.Module):
    """Graph convolution, batch normalisation over faces and nodes, ReLU."""

    def __init__(self, cin: int, cout: int, links: int, dynamic_dim: int) -> None:
        super().__init__()
        self.conv = GraphConv(cin, cout, links, dynamic_dim)
        self.norm = nn.BatchNorm1d(cout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.conv(x, mask)
        return F.relu(self.norm(x.flatten(0, 1))).view_as(x)


class GraphPair(nn.Module):
    """Two graph convolutions with a shortcut; no ReLU after the sum."""

    def __init__(self, width: int, links: int, dynamic_dim: int) -> None:
        super().__init__()
        self.first = GraphBlock(width, width, links, dynamic_dim)
        self.second = GraphBlock(width, width, links, dynamic_dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x + self.second(self.first(x, mask), mask)


class GraphNet(nn.Module):
    """Node features -> node positions.

    Args:
        features, hidden: lengths of a node's vector before and in the network.
        blocks: residual blocks of two graph convolutions.
        links: True entries of the mask.
        dynamic_dim: see :class:`GraphConv`.
    """

    def __init__(self, features: int, hidden: int, blocks: int, links: int, dynamic_dim: int = 0) -> None:
        super().__init__()
        self.input = GraphBlock(features, hidden, links, dynamic_dim)
        self.blocks = nn.ModuleList(GraphPair(hidden, links, dynamic_dim) for _ in range(blocks))
        self.output = GraphConv(hidden, 2, links, dynamic_dim)
        self.positions = Tap("node", "xy", per_stage=True, observer=True)

    def forward(self, x: Tensor, mask: Tensor, start: Tensor | float = 0.0) -> Tensor:
        """(B, N, features), (N, N) -> (B, N, 2), ``start`` plus what the output layer gives.

        While ``positions`` records, the output layer also reads the state after the input layer and after every
        block: where the answer would lie if the network ended there.
        """
        x = self._look(self.input(x, mask), mask, start)
        for block in self.blocks:
            x = self._look(block(x, mask), mask, start)
        return start + self.output(x, mask)

    def _look(self, x: Tensor, mask: Tensor, start: Tensor | float) -> Tensor:
        if self.positions.active:
            self.positions(start + self.output.mix(x, self.output.edges(x, mask)))
        return x
