"""Occluders: what they cover and what they paint."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import ImageError
from workbench.faces import Occluder, occlude
from workbench.faces.occlude import FILLS, SHAPES, SPECIAL_FILLS

CROP = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", [*FILLS, *SPECIAL_FILLS])
def test_only_the_mask_changes(shape: str, fill: str) -> None:
    before = CROP.copy()
    occluder = Occluder(0.25, 0.5, 0.5, 0.25, fill=fill, shape=shape)
    painted, mask = occlude(CROP, occluder)
    assert (before == CROP).all()
    assert painted.shape == CROP.shape
    assert painted.dtype == np.uint8
    assert (painted[~mask] == CROP[~mask]).all()
    assert (painted[mask] != CROP[mask]).any(-1).mean() > 0.9
    assert (occlude(CROP, occluder)[0] == painted).all()


def test_the_area_under_each_shape() -> None:
    areas = {shape: occlude(CROP, Occluder(0.25, 0.25, 0.5, 0.5, shape=shape))[1].mean() for shape in SHAPES}
    assert areas["rectangle"] == pytest.approx(0.25, abs=0.02)
    assert areas["ellipse"] == pytest.approx(np.pi / 16, abs=0.02)
    assert 0.08 < areas["hand"] < 0.2


def test_a_hand_has_five_fingers() -> None:
    _, mask = occlude(np.zeros((400, 400, 3), np.uint8), Occluder(0, 0, 1, 1, shape="hand"))
    across = mask[110]  # above the thumb, through the other four
    assert (np.diff(across.astype(int)) == 1).sum() == 4
    assert mask[220, 30]


@pytest.mark.parametrize("shape", SHAPES)
def test_points_and_mask_agree(shape: str) -> None:
    occluder = Occluder(0.1, 0.2, 0.55, 0.4, shape=shape)
    _, mask = occlude(CROP, occluder)
    rows, columns = np.mgrid[:80, :80]
    covered = occluder.covers(np.stack([columns, rows], -1).reshape(-1, 2) / 80).reshape(80, 80)
    assert (covered == mask).all()


def test_outside_nothing_is_painted() -> None:
    painted, mask = occlude(CROP, Occluder(1.5, 1.5, 0.2, 0.2))
    assert not mask.any()
    assert (painted == CROP).all()


@pytest.mark.parametrize(
    "options", [{"width": 0}, {"height": -1}, {"x": float("nan")}, {"fill": "gold"}, {"shape": "star"}]
)
def test_unusable_occluders_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ImageError):
        Occluder(**({"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2} | options))  # type: ignore[arg-type]
