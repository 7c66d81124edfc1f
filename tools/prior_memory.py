"""How much memory the prior loss takes, plain and by slices: ``python -m tools.prior_memory``.

Each form runs in a process of its own, forward and backward, and tells the highest resident set size that process
ever had; what it already held before (Python, torch, the inputs) is told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import torch

from workbench.training.ssfa import CHUNK, prior_loss, prior_loss_plain, prior_mask

FORMS = ("plain", "sliced")


def measure(form: str, size: int = 64, batch: int = 16, inner: int = 32, landmarks: int = 98) -> dict[str, Any]:
    """Loss and gradient of one form in a fresh process.

    Args:
        form: "plain" (:func:`prior_loss_plain` of the softmax matrix) or "sliced" (:func:`prior_loss`).
        size: side of the map.
        batch: faces.
        inner: channels of queries and keys.
        landmarks: a face.

    Returns:
        ``peak`` and ``before``, resident bytes; ``seconds`` of forward and backward; ``loss``; ``gradient``, the sum
        of its absolute values.
    """
    sizes = [str(v) for v in (size, batch, inner, landmarks)]
    command = [sys.executable, "-m", "tools.prior_memory", "--child", form, *sizes]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def compare(size: int = 64, batch: int = 16) -> dict[str, Any]:
    """Both forms; ``ratio`` is that of the peaks, ``ratio_added`` that of what the losses added to each process."""
    plain, sliced = (measure(form, size, batch) for form in FORMS)
    added = [max(1, r["peak"] - r["before"]) for r in (plain, sliced)]
    return {
        "size": size,
        "batch": batch,
        "chunk": CHUNK,
        "plain": plain,
        "sliced": sliced,
        "ratio": round(plain["peak"] / sliced["peak"], 2),
        "ratio_added": round(added[0] / added[1], 2),
    }


def _child(form: str, size: int, batch: int, inner: int, landmarks: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    shape = (batch, inner, size, size)
    q, k = (torch.randn(shape, generator=generator).mul_(0.5).requires_grad_() for _ in range(2))
    mask = prior_mask(torch.rand(batch, landmarks, 2, generator=generator), size, 1.0, 3.0)
    # A small run first, so that what torch sets up once is not counted.
    small = prior_mask(torch.rand(1, 4, 2, generator=generator), 8, 1.0, 3.0)
    _run(form, torch.randn(1, inner, 8, 8).requires_grad_(), torch.randn(1, inner, 8, 8).requires_grad_(), small)
    before = _peak()
    start = time.perf_counter()
    loss = _run(form, q, k, mask)
    seconds = time.perf_counter() - start
    assert q.grad is not None and k.grad is not None
    gradient = float(q.grad.abs().sum() + k.grad.abs().sum())
    return {
        "peak": _peak(),
        "before": before,
        "seconds": round(seconds, 2),
        "loss": float(loss.detach()),
        "gradient": gradient,
    }


def _run(form: str, q: torch.Tensor, k: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    if form == "plain":
        matrix = (q.flatten(2).transpose(1, 2) @ k.flatten(2)).softmax(-1)
        loss = prior_loss_plain(matrix, mask)
    else:
        loss = prior_loss(q, k, mask)
    loss.backward()
    return loss


def _peak() -> int:
    """Highest resident set size so far, in bytes."""
    try:  # what Linux counts for this program alone; getrusage also remembers the process that started it
        with open("/proc/self/status", encoding="ascii") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value if sys.platform == "darwin" else 1024 * value


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of the prior loss, plain and by slices.")
    parser.add_argument("--size", type=int, default=64, help="side of the map")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--child", nargs=5, metavar=("FORM", "SIZE", "BATCH", "INNER", "LANDMARKS"))
    arguments = parser.parse_args()
    if arguments.child:
        form, *sizes = arguments.child
        answer = _child(form, *(int(v) for v in sizes))
    else:
        answer = compare(arguments.size, arguments.batch)
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
