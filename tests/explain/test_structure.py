from __future__ import annotations

import numpy as np
import pytest

from tests.readings import synthetic_reading
from workbench import explain
from workbench.errors import TraceError
from workbench.landmarks import get_scheme, user_scheme
from workbench.landmarks.scheme import Group


def test_cosine_similarity_by_hand() -> None:
    values = explain.cosine_similarity(np.array([[1.0, 0.0], [3.0, 3.0], [0.0, -2.0], [0.0, 0.0]]))
    half = 2**-0.5
    np.testing.assert_allclose(
        values, [[1, half, 0, 0], [half, 1, -half, 0], [0, -half, 1, 0], [0, 0, 0, 1]], atol=1e-12
    )


def test_neighbours_leave_oneself_out() -> None:
    found = explain.neighbours(np.array([[1, 0.2, 0.9], [0.2, 1, -0.5], [0.9, -0.5, 1]]), k=2)
    assert found.index.tolist() == [[2, 1], [0, 2], [0, 1]]
    assert found.value[1].tolist() == [0.2, -0.5]
    assert explain.neighbours(np.eye(3), k=9).index.shape == (3, 2)


@pytest.mark.parametrize("name", ["ibug68", "wflw98", "cofw29", "aflw19", "five", "webmorph189"])
def test_order_holds_every_landmark_once_and_parts_in_blocks(name: str) -> None:
    scheme = get_scheme(name)
    order = explain.order_by_part(scheme)
    assert sorted(order.index) == list(range(scheme.count))
    for k, part in enumerate(order.parts):
        block = order.index[order.starts[k] : order.starts[k + 1]]
        assert {scheme.part_of[i] for i in block} == {part}
    assert order.starts[-1] == scheme.count


def test_part_statistic_by_hand() -> None:
    groups = [Group("a", "brows", (0, 1)), Group("b", "eyes", (2, 3))]
    scheme = user_scheme("four", 4, groups=groups, flip=(2, 3, 0, 1))
    values = np.eye(4)
    for (i, j), v in {(0, 1): 0.9, (2, 3): 0.7, (0, 2): 0.6, (1, 3): 0.4, (0, 3): -0.2, (1, 2): 0.0}.items():
        values[i, j] = values[j, i] = v
    found = explain.part_statistic(values, scheme)
    assert (found.adjacent, found.within) == (pytest.approx(0.8), pytest.approx(0.8))
    assert found.mirrored == pytest.approx(0.5)
    assert found.rest == pytest.approx(-0.1)
    assert found.counts == (2, 2, 2, 2)
    assert "mirrored pairs 0.5" in found.caption


def test_missing_encoding_is_one_sentence() -> None:
    assert explain.structure_similarity(synthetic_reading()).values.shape == (68, 68)
    with pytest.raises(TraceError, match="no structure encoding"):
        explain.structure_similarity(synthetic_reading(attention=False))
