"""Closer to a face: what stays in place, and how far one gets."""

from __future__ import annotations

import numpy as np

from tests.widgets.javascript import run


def test_the_place_under_the_pointer_stays_and_the_picture_is_never_left(tmp_path) -> None:
    twice, moved, most, out = run(
        tmp_path,
        "relations",
        """const whole = { scale: 1, x: 0, y: 0 }, size = [400, 400];
        const twice = closer(whole, 2, [100, 300], size);
        return [twice, held({ ...twice, x: 900, y: -5 }, size), closer(twice, 100, [0, 0], size),
          closer(closer(whole, 4, [390, 10], size), 0.01, [0, 0], size)];""",
    )
    # 100 pixels from the left before and after: 50 + 100 / 2.
    assert twice == {"scale": 2, "x": 50, "y": 150}
    assert moved == {"scale": 2, "x": 200, "y": 0}
    assert most["scale"] == 8
    np.testing.assert_allclose([out["scale"], out["x"], out["y"]], [1, 0, 0])
