"""What figures and widgets share has one source, and both follow it."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.figures import palette, style
from workbench.figures.legends import place_labels
from workbench.figures.uncertainty import nice_top
from workbench.widgets import payload


@pytest.mark.parametrize("name", ["inferno", "cividis"])
def test_colours_are_those_of_matplotlib(name: str) -> None:
    at = np.linspace(0, 1, 256)
    np.testing.assert_array_equal(palette.sample(name, at), matplotlib.colormaps[name](at, bytes=True)[:, :3])


@pytest.mark.parametrize("name", palette.MAPS)
def test_scale_samples_and_bytes_are_one_table(name: str) -> None:
    table = np.frombuffer(payload.lut(name), np.uint8).reshape(256, 3)
    np.testing.assert_array_equal(table, palette.table(name))
    weights = np.random.default_rng(0).uniform(0, 1, 2000)
    np.testing.assert_array_equal(palette.sample(name, weights), table[np.floor(255 * weights + 0.5).astype(int)])
    scale = palette.colourscale(name)
    positions = [position for position, _ in scale]
    assert positions == sorted(positions)
    assert (positions[0], positions[-1]) == (0, 1)
    for weight in weights[:200]:
        after = int(np.searchsorted(positions, weight, "right"))
        assert scale[after - 1][1] == scale[min(after, len(scale) - 1)][1]  # flat around every weight
        assert palette.rgb(str(scale[after - 1][1])) == tuple(palette.sample(name, weight))


def test_a_colour_map_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(palette.MAPS, "viridis", "viridis")
    expected = matplotlib.colormaps["viridis"](np.linspace(0, 1, 256), bytes=True)[:, :3]
    np.testing.assert_array_equal(palette.sample("viridis", np.linspace(0, 1, 256)), expected)
    assert payload.luts("viridis")["lut.viridis"] == expected.tobytes()
    assert palette.colourscale("viridis")[0] == [0, palette.to_hex(expected[0])]
    monkeypatch.setattr(palette, "OVER_PHOTO", "viridis")
    figure = figures.relations(synthetic_reading(68))
    heat = next(trace for trace in figure.data if trace.type == "heatmap")
    assert heat.colorscale[-1][1].upper() == palette.to_hex(expected[-1])


def test_the_diverging_map_is_pale_in_its_middle() -> None:
    low, middle, high = palette.sample("diverging", [0, 0.5, 1]).astype(int)
    assert middle.min() > 240
    assert low[2] > low[0] and high[0] > high[2]


def test_a_line_bends_to_the_left_on_its_way() -> None:
    middle = style.control(np.array([0.0, 0.0]), np.array([10.0, 0.0]))
    np.testing.assert_allclose(middle, [5, -1])  # walking to the right with y down, left is up
    np.testing.assert_allclose(style.line_width([0, 0.5, 1], 1), [0.7, 3.5, 7])


def test_ticks_and_tops_are_those_of_the_widgets(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    highs = (10.0 ** random.uniform(-5, 4, 200)).tolist()
    spans = [(0.0, high, count) for high in highs for count in (2, 4, 7)]
    spans += [(-high, high, 3) for high in highs] + [(high, 3 * high, 5) for high in highs] + [(1.0, 1.0, 4)]
    body = (
        """return { ticks: input.spans.map((span) => ticks(...span).map(number)), tops: input.highs.map(niceTop) };"""
    )
    got = run(tmp_path, "uncertainty", body, spans=spans, highs=highs)
    assert got["ticks"] == [[style.number(v) for v in style.ticks(*span)] for span in spans]
    np.testing.assert_allclose(got["tops"], [nice_top(high) for high in highs])


def test_labels_of_brackets_are_placed_as_in_the_widgets(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    rows = []
    for _ in range(60):
        rooms = random.uniform(4, 90, random.integers(1, 8))
        starts = np.cumsum([0, *rooms[:-1]])
        widths = random.uniform(8, 60, len(rooms))
        rows.append(
            [
                {"at": s + r / 2, "room": r, "texts": ["long", "short"], "widths": [w, w / 2]}
                for s, r, w in zip(starts.tolist(), rooms.tolist(), widths.tolist(), strict=True)
            ]
        )
    sides = [sum(item["room"] for item in row) for row in rows]
    body = """return input.rows.map((row, k) =>
      placeLabels(row, input.sides[k]).map(({ item, short, at }) => [at, item.texts[short]]));"""
    got = run(tmp_path, "relations", body, rows=rows, sides=sides)
    for theirs, row, side in zip(got, rows, sides, strict=True):
        items = [(i["at"], i["room"], ("long", "short"), i["widths"]) for i in row]
        mine = place_labels(items, side)
        assert [words for _, words in mine] == [words for _, words in theirs]
        np.testing.assert_allclose([at for at, _ in mine], [at for at, _ in theirs])
