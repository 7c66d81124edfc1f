from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from tests.readings import synthetic_reading
from workbench import figures
from workbench.errors import WorkbenchError


@pytest.fixture(scope="module")
def relations() -> go.Figure:
    return figures.relations(synthetic_reading(68))


def pixels(figure: go.Figure, scale: float = 1.0) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figures.to_bytes(figure, "png", scale))).convert("RGB"))


def plain(**layout: Any) -> go.Figure:
    axis = {"showgrid": False, "showticklabels": False}
    return go.Figure(
        layout={
            "width": 100, "height": 100, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "plot_bgcolor": "#FFFFFF",
            "xaxis": {"range": [0, 100], **axis}, "yaxis": {"range": [100, 0], **axis}, **layout,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    "draw",
    [
        figures.landmarks, figures.trajectory, figures.relations, figures.partners, figures.matrix, figures.thumbnails,
        figures.structure, figures.structure_neighbours, figures.uncertainty, figures.sigma_bars, figures.patches,
    ],
)  # fmt: skip
def test_every_figure_becomes_a_png_of_its_size(draw: Any) -> None:
    figure = draw(synthetic_reading(68))
    picture = pixels(figure)
    assert picture.shape == (figure.layout.height, figure.layout.width, 3)
    assert picture.std() > 5


def test_scale_multiplies_pixels(relations: go.Figure) -> None:
    assert pixels(relations, 2.0).shape[1] == 2 * relations.layout.width


def test_svg_holds_title_and_caption_as_text(relations: go.Figure) -> None:
    text = figures.to_bytes(relations, "svg").decode("utf-8")
    words = " ".join(re.sub(r"<[^>]+>", "\n", text).split())
    assert "Which patches each landmark looks at" in words
    assert "relation.layers.0.cross · stage 3 of 3 · mean of 4 heads" in words
    assert "http" not in re.sub(r'xmlns\S*="[^"]*"|http://(www\.w3|purl|creativecommons)\S*', "", text)


def test_a_point_lands_on_its_pixel() -> None:
    figure = plain()
    figure.add_scatter(x=[25], y=[75], mode="markers", marker={"color": "#FF0000", "size": 10})
    red = np.argwhere((pixels(figure) == [255, 0, 0]).all(-1))
    np.testing.assert_allclose(red.mean(0), [75, 25], atol=1)
    assert 8 <= np.ptp(red[:, 0]) + 1 <= 11


def test_lines_break_at_gaps_and_outlines_fill() -> None:
    figure = plain()
    gaps = {"x": [10, 40, np.nan, 60, 90], "y": [50] * 5}
    figure.add_scatter(**gaps, mode="lines", line={"color": "#0000FF", "width": 6})
    square = {"x": [10, 40, 40, 10, 10], "y": [10, 10, 40, 40, 10]}
    figure.add_scatter(
        **square, mode="lines", fill="toself", fillcolor="#00FF00", line={"width": 1, "color": "#00FF00"}
    )
    picture = pixels(figure)
    assert picture[50, 25].tolist() == [0, 0, 255]
    assert picture[50, 50].tolist() == [255, 255, 255]
    assert picture[25, 25].tolist() == [0, 255, 0]


def test_heatmap_cells_have_the_colours_of_their_scale() -> None:
    figure = plain(xaxis={"range": [-0.5, 1.5]}, yaxis={"range": [1.5, -0.5]})
    scale = [[0, "#000000"], [1, "#FF0000"]]
    figure.add_heatmap(z=[[0, 1], [1, 0]], zmin=0, zmax=1, colorscale=scale, showscale=False)
    picture = pixels(figure)
    assert picture[25, 25].tolist() == [0, 0, 0]
    assert picture[25, 75].tolist() == [255, 0, 0]


def test_shapes_bars_and_pictures() -> None:
    figure = plain()
    rect = {"type": "rect", "x0": 10, "y0": 10, "x1": 30, "y1": 30, "xref": "x", "yref": "y", "line": {"width": 0}}
    figure.add_shape(**rect, fillcolor="rgba(255,0,0,0.5)")
    uri = figures.canvas.map_uri(np.zeros((2, 2)), "cividis")
    figure.add_layout_image(source=uri, x=60, y=60, sizex=30, sizey=30, xref="x", yref="y", sizing="stretch")
    figure.add_bar(x=[50], y=[20], width=10, marker={"color": "#00FF00"})
    picture = pixels(figure)
    assert picture[20, 20].tolist() == pytest.approx([255, 128, 128], abs=1)
    assert picture[75, 75].tolist() == figures.palette.sample("cividis", 0).tolist()
    assert picture[10, 50].tolist() == [0, 255, 0]


def test_html_works_alone_and_json_opens_again(relations: go.Figure) -> None:
    page = figures.to_bytes(relations, "html").decode("utf-8")
    assert "<title>Which patches each landmark looks at</title>" in page
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    back = go.Figure(json.loads(figures.to_bytes(relations, "json")))
    assert len(back.data) == len(relations.data)


def test_save_writes_the_given_path_and_nothing_else(tmp_path: Path) -> None:
    figure = plain()
    for kind in ("png", "svg", "html", "json"):
        assert figures.save(figure, tmp_path / f"out.{kind}") == tmp_path / f"out.{kind}"
    assert figures.save(figure, str(tmp_path / "big.PNG")).is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.PNG", "out.html", "out.json", "out.png", "out.svg"]


def test_refusals_are_one_sentence(tmp_path: Path) -> None:
    figure = plain()
    with pytest.raises(WorkbenchError, match=r"'\.gif'; a figure is saved as one of \.html"):
        figures.save(figure, tmp_path / "out.gif")
    with pytest.raises(WorkbenchError, match="no suffix"):
        figures.save(figure, tmp_path / "out")
    with pytest.raises(WorkbenchError, match="There is no folder"):
        figures.save(figure, tmp_path / "missing" / "out.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(WorkbenchError, match="could not be written"):
        figures.save(figure, tmp_path / "taken.png")
    with pytest.raises(WorkbenchError, match="'pdf'"):
        figures.to_bytes(figure, "pdf")
    assert [p.name for p in tmp_path.iterdir()] == ["taken.png"]


def test_what_only_a_browser_draws_is_refused() -> None:
    pie = go.Figure(go.Pie(values=[1, 2]), layout=plain().layout)
    with pytest.raises(WorkbenchError, match="'pie' trace"):
        figures.to_bytes(pie, "png")
    free = go.Figure(go.Scatter(x=[1], y=[1]))
    with pytest.raises(WorkbenchError, match="fixed axis ranges"):
        figures.to_bytes(free, "svg")
    star = plain()
    star.add_scatter(x=[1], y=[1], mode="markers", marker={"symbol": "star"})
    with pytest.raises(WorkbenchError, match="marker 'star'"):
        figures.to_bytes(star, "png")
