"""Checks of lesson 1, reading a face."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from workbench.axes import own
from workbench.course.verdict import called, exercise, near, numbers
from workbench.reading import Reading, read, shelf_model
from workbench.tracing import NamedTensor, Trace

PATCH = (0.24, 0.53, 0.52, 0.27)


@cache
def plain() -> Reading:
    """The lesson's reading."""
    return read(shelf_model("dslpt-68", "cpu"), "astronaut")


@exercise
def crop_side(side: Any) -> str:
    """A function of the box (x0, y0, x1, y1) is asked for that gives the square's side in pixels."""
    for box in ((10.0, 20.0, 110.0, 140.0), (0.0, 0.0, 80.0, 50.0), (5.0, 5.0, 35.0, 35.0)):
        wide, high = box[2] - box[0], box[3] - box[1]
        found = numbers(called(side, box))
        if near(found, 1.2 * max(wide, high)):
            continue
        if near(found, max(wide, high)):
            return "That is the box's longer side; the crop is larger, by the factor above."
        which = "wider than high" if wide > high else "higher than wide" if high > wide else "as wide as high"
        return f"Not for a box that is {which}."
    return ""


@exercise
def listens_to(landmark: Any) -> str:
    """The number of a landmark is asked for, from 0 to 67."""
    weights = plain().attention("cross")[-1, 0].mean(0)
    row = weights[8].copy()
    row[8] = 0
    found = numbers(landmark)
    if found == row.argmax():
        return ""
    if found == 8:
        return "That is the chin itself; leave it aside."
    column = weights[:, 8].copy()
    column[8] = 0
    if found == column.argmax():
        return "That landmark listens to the chin; asked is whom the chin listens to: rows are queries."
    return "Look at row 8 of the first layer's weights, in the last stage, as a mean over the heads."


@cache
def covered() -> Reading:
    """The same face below the patch."""
    return read(shelf_model("dslpt-68", "cpu"), plain().face.occlude(*PATCH))


@exercise
def sigma_growth(factor: Any) -> str:
    """One number is asked for: the median factor."""
    before, after = plain(), covered()
    x, y = before.points().T
    under = (x >= PATCH[0]) & (x <= PATCH[0] + PATCH[2]) & (y >= PATCH[1]) & (y <= PATCH[1] + PATCH[3])
    ratio = np.sqrt(after.sigma().prod(1)) / np.sqrt(before.sigma().prod(1))
    found = numbers(factor)
    if near(found, np.median(ratio[under])):
        return ""
    if near(found, np.median(ratio)):
        return "That is the median over all points; take those below the patch."
    if near(found, ratio[under].mean()):
        return "That is the mean; the median is asked for."
    if near(1 / found, np.median(ratio[under])):
        return "Upside down: after divided by before."
    return "Take the geometric mean of both deviations of each point first, then the ratio, then the median."


@exercise
def largest_tensor(largest: Any) -> str:
    """A function of a trace is asked for that gives back a path."""
    import torch

    one, two = Trace(), Trace()
    for trace, sizes in ((one, {"a": (9, 1), "b": (2, 5), "c": (3, 3)}), (two, {"b": (4, 4), "a": (17, 1)})):
        for path, size in sizes.items():
            trace[path] = NamedTensor(torch.zeros(size), ("y", "x"))
    for trace, right in ((one, "b"), (two, "a"), (plain().trace, None)):
        found = called(largest, trace)
        if found not in trace:
            return "The path is asked for, a key of the trace, not the tensor or its size."
        right = right or max(trace, key=lambda path: trace[path].tensor.numel())
        if trace[found].tensor.numel() != trace[right].tensor.numel():
            return f"Not for every trace: {found} has fewer numbers than {right}, with axes {own(trace[right].axes)}."
    return ""
