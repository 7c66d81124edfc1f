from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.explain.test_calibration import REPORT
from tests.readings import synthetic_reading
from workbench import explain, figures
from workbench.errors import TraceError
from workbench.faces import Occluder
from workbench.figures import style
from workbench.landmarks import user_scheme
from workbench.reading import Reading

OCCLUDER = Occluder(0.3, 0.6, 0.4, 0.3)


def change_figure(reading: Reading) -> go.Figure:
    other = synthetic_reading(reading.scheme.count if reading.scheme.count != 5 else "five", seed=1)
    change = explain.relation_change(other, reading, OCCLUDER)
    return figures.relation_change(change, other, reading)


VIEWS: dict[str, tuple[Callable[[Reading], go.Figure], str]] = {
    "landmarks": (figures.landmarks, "alignment.landmarks"),
    "trajectory": (figures.trajectory, "alignment.stages"),
    "relations": (figures.relations, "relation.layers.0.cross · stage 3 of 3 · mean of 4 heads"),
    "one landmark": (lambda r: figures.relations(r, "self", landmark=1), "strongest keys of"),
    "relation change": (change_figure, "with the occluder minus without"),
    "partners": (figures.partners, "relation.layers.0.cross"),
    "matrix": (lambda r: figures.matrix(r, layer=None), "mean of 2 layers"),
    "thumbnails": (figures.thumbnails, "2 layers × 4 heads"),
    "matrices": (lambda r: figures.thumbnails(r, show="matrices"), "rows are queries"),
    "structure": (figures.structure, "cosine similarity"),
    "neighbours": (figures.structure_neighbours, "3 most similar"),
    "uncertainty": (figures.uncertainty, "39, 86, 99 %"),
    "sigma bars": (figures.sigma_bars, "alignment.variance"),
    "patches": (figures.patches, "clamp(12 max v, 0.5, 0.7)"),
}


def caption_of(figure: go.Figure) -> str:
    return str(figure.layout.meta["caption"])


def shapes_of(figure: go.Figure, axis: str = "x", kind: str = "path") -> list[dict[str, Any]]:
    return [s for s in figure.to_plotly_json()["layout"]["shapes"] if (s["xref"], s["type"]) == (axis, kind)]


def curves(figure: go.Figure) -> list[dict[str, Any]]:
    return [shape for shape in shapes_of(figure) if "Q" in shape["path"]]


def dots_of(figure: go.Figure) -> Any:
    return next(trace for trace in figure.data if trace.type == "scatter" and trace.hovertext is not None)


@pytest.mark.parametrize(
    ("name", "points"),
    # Of a change of relations one scheme of few points is enough.
    [(n, p) for n in VIEWS for p in (68, 98, "aflw19", "five") if (n, p) != ("relation change", "aflw19")],
)
def test_every_view_names_its_tensor_below(name: str, points: int | str) -> None:
    draw, words = VIEWS[name]
    figure = draw(synthetic_reading(points))
    assert words in caption_of(figure)
    below = [n.text for n in figure.layout.annotations if n.xref == "paper" and n.font.size == style.CAPTION]
    assert " ".join(below).replace("\u00a0", " ") == caption_of(figure)
    assert figure.layout.width
    assert figure.layout.height


@pytest.mark.parametrize("name", VIEWS)
def test_a_pixel_of_a_panel_is_one_of_the_sheet(name: str) -> None:
    layout = VIEWS[name][0](synthetic_reading(68)).layout
    room = (layout.width - layout.margin.l - layout.margin.r, layout.height - layout.margin.t - layout.margin.b)
    for tail in [key[5:] for key in layout if key.startswith("xaxis")]:
        x, y = layout[f"xaxis{tail}"], layout[f"yaxis{tail}"]
        assert x.range[1] == pytest.approx((x.domain[1] - x.domain[0]) * room[0])
        assert y.range[0] == pytest.approx((y.domain[1] - y.domain[0]) * room[1], abs=1)


@pytest.mark.parametrize("name", VIEWS)
def test_words_of_a_panel_lie_inside_it(name: str) -> None:
    figure = VIEWS[name][0](synthetic_reading(68))
    for note in figure.layout.annotations:
        for value, ref in ((note.x, note.xref), (note.y, note.yref)):
            if ref != "paper":
                low, high = sorted(figure.layout[f"{ref[0]}axis{ref[1:]}"].range)
                assert low <= value <= high, note.text


def test_a_scheme_without_groups_still_draws() -> None:
    reading = replace(synthetic_reading("five"), scheme=user_scheme("mine", 5))
    for name, (draw, _) in VIEWS.items():
        if name != "relation change":
            draw(reading)


def test_words_of_a_photograph_are_no_markup() -> None:
    reading = synthetic_reading(68)
    odd = replace(reading, card_title="a<b>c</b> & d")
    figure = figures.landmarks(odd)
    assert "a&lt;b&gt;c&lt;/b&gt; &amp; d" in figure.layout.annotations[0].text
    assert b"a&lt;b&gt;c&lt;/b&gt; &amp; d" in figures.to_bytes(figure, "svg")


def test_landmarks_lie_in_pixels_of_the_face_with_y_down() -> None:
    reading = synthetic_reading(68)
    figure = figures.landmarks(reading)
    dots = dots_of(figure)
    np.testing.assert_allclose(np.stack([dots.x, dots.y], 1), style.FACE * reading.points())
    assert tuple(figure.layout.yaxis.range) == (style.FACE + 34, 0)
    image = figure.layout.images[0]
    assert image.source.startswith("data:image/jpeg;base64,")
    assert (image.x, image.y, image.sizex, image.sizey) == (0, 0, style.FACE, style.FACE)


def test_parts_keep_one_colour_and_sides_one_shade() -> None:
    reading = synthetic_reading(68)
    colours = figures.palette.landmark_colours(reading.scheme)
    assert colours[36] == figures.palette.shade("eyes", "image left")
    assert colours[45] == figures.palette.shade("eyes", "image right")
    assert colours[8] == figures.palette.PART_COLOURS["jaw"]
    assert len({colours[36], colours[45], colours[8], colours[17]}) == 4


def test_relation_lines_have_the_width_and_colour_of_their_weight() -> None:
    reading = synthetic_reading(68)
    matrix = explain.attention_matrix(reading)
    found = explain.edges(matrix, 2, 0.05)
    top = explain.largest_weight(matrix.weights, own=False)
    figure = figures.relations(reading, top_k=2, threshold=0.05)
    every = [(s["line"]["width"], s["line"]["color"]) for s in curves(figure)]
    drawn = [line for line in every if line[1] != style.FAINT_CASE]
    assert len(every) - len(drawn) == (found.weight < style.FAINT * top).sum() > 0  # dark skin would swallow them
    expected = [(max(0.7, 7 * w / top), style.line_colour(w, top)) for w in found.weight[::-1]]
    np.testing.assert_allclose([w for w, _ in drawn], [w for w, _ in expected], rtol=1e-12)
    assert [c for _, c in drawn] == [c for _, c in expected]
    assert len({round(w, 6) for w, _ in drawn}) > 20  # as many widths as weights, no steps
    assert "weights from 0.05 up" in caption_of(figure)


def test_a_chosen_landmark_keeps_the_common_scale() -> None:
    reading = synthetic_reading(68)
    everyone, one = (caption_of(figures.relations(reading, landmark=k)) for k in (None, 5))
    assert everyone.split("scale 0 to ")[1].split(",")[0] == one.split("scale 0 to ")[1].split(",")[0]


def test_a_threshold_above_all_weights_draws_a_face_without_lines() -> None:
    assert not curves(figures.relations(synthetic_reading(68), threshold=2.0))


def test_matrix_is_reordered_but_not_changed() -> None:
    reading = synthetic_reading(68)
    for figure in (figures.matrix(reading), figures.relations(reading, own=True)):
        heat = next(trace for trace in figure.data if trace.type == "heatmap")
        weights = explain.attention_matrix(reading).weights
        rows, columns = np.asarray(heat.customdata)[..., 0], np.asarray(heat.customdata)[..., 1]
        np.testing.assert_array_equal(heat.z, weights[rows, columns])
        assert (heat.zmin, heat.zmax) == (0, pytest.approx(weights.max()))


def test_the_scale_may_be_that_of_all_maps_and_the_diagonal_may_be_hidden() -> None:
    reading = synthetic_reading(68)
    stack = explain.attention_stack(reading)
    heat = figures.matrix(reading, head=1, scale="all").data[0]
    assert heat.zmax == pytest.approx(stack.max())
    assert "the largest of all maps" in caption_of(figures.relations(reading, head=1, scale="all", own=True))
    hidden = figures.matrix(reading, own=False, landmark=5, direction="key")
    assert np.isnan(np.diag(hidden.data[0].z)).all()
    assert "diagonal hidden" in caption_of(hidden)
    assert "column of jaw 6 of 17 (5) framed" in caption_of(hidden)
    weights = explain.attention_matrix(reading).weights
    assert hidden.data[0].zmax == pytest.approx(weights[~np.eye(68, dtype=bool)].max())
    frame = next(s for s in shapes_of(hidden, kind="rect") if s["layer"] == "above")
    assert frame["y1"] - frame["y0"] > 10 * (frame["x1"] - frame["x0"])


def test_partners_wear_rings_where_they_are_their_own() -> None:
    reading = synthetic_reading(68)
    found = explain.partners(explain.attention_matrix(reading))
    figure = figures.partners(reading)
    assert len(shapes_of(figure, kind="circle")) == (found.key == np.arange(68)).sum()
    best = figures.partners(reading, exclude_self=True)
    assert caption_of(best) == caption_of(figures.relations(reading, best=True))
    assert [s["path"] for s in curves(best)] == [s["path"] for s in curves(figures.relations(reading, best=True))]


def test_pinned_neighbours_name_the_landmark() -> None:
    caption = caption_of(figures.structure_neighbours(synthetic_reading(68), landmark=30))
    assert "3 most similar other encodings of nose bridge 4 of 4 (30)" in caption
    both = [synthetic_reading(68), synthetic_reading(98)]
    assert "of landmark 3," in caption_of(figures.structure_neighbours(both, landmark=3))


def test_a_landmark_that_is_not_there_is_refused() -> None:
    reading, both = synthetic_reading(68), [synthetic_reading(68), synthetic_reading(98)]
    for draw in (
        figures.relations, figures.matrix, figures.trajectory, figures.structure, figures.structure_neighbours,
        figures.uncertainty,
    ):  # fmt: skip
        with pytest.raises(TraceError, match="no landmark 68"):
            draw(reading, landmark=68)
        assert draw(reading, landmark=-1) == draw(reading, landmark=67)
    with pytest.raises(TraceError, match="no landmark 200"):
        figures.structure_neighbours(both, landmark=200)


def test_no_line_at_all_is_refused() -> None:
    with pytest.raises(TraceError, match="at least 1 line"):
        figures.relations(synthetic_reading(68), top_k=0)


@pytest.mark.slow
def test_captions_tell_what_was_asked_for() -> None:
    reading = synthetic_reading(68)
    assert "weights from 0.05 up" in caption_of(figures.relations(reading, threshold=0.0499725))
    assert "all keys of each landmark" in caption_of(figures.relations(reading, top_k=1000))
    assert "float16" not in caption_of(figures.relations(reading))


def test_structure_is_centred_on_zero_and_takes_two_readings() -> None:
    both = [synthetic_reading(68), synthetic_reading(98)]
    figure = figures.structure(both)
    heats = [trace for trace in figure.data if trace.type == "heatmap"]
    assert [len(t.z) for t in heats] == [68, 98]
    assert {(t.zmin, t.zmax) for t in heats} == {(-1, 1)}
    assert "of 98 encodings of width" in caption_of(figure)
    chosen = figures.structure(both, landmark=36)
    assert [bool([s for s in shapes_of(chosen, x, "rect") if s["layer"] == "above"]) for x in ("x", "x2")] == [
        True
    ] * 2


def test_thumbnails_answer_clicks_with_layer_and_head() -> None:
    figure = figures.thumbnails(synthetic_reading(68))
    cells = next(t for t in figure.data if t.customdata is not None)
    assert np.asarray(cells.customdata).tolist() == [[y, h] for y in range(2) for h in range(4)]


def test_ellipses_have_the_predicted_radii() -> None:
    reading = synthetic_reading(68)
    rings = [s for s in shapes_of(figures.uncertainty(reading), kind="circle") if "fillcolor" in s]
    widths = np.array([s["x1"] - s["x0"] for s in rings]).reshape(68, 3)
    expected = 2 * style.FACE * reading.sigma()[:, :1] * np.array([3, 2, 1])
    np.testing.assert_allclose(widths, expected, rtol=1e-9)


def test_the_mean_face_has_no_ellipses_and_no_bars() -> None:
    figure = figures.uncertainty(synthetic_reading(68), None)
    assert "mean_shape · mean face" in caption_of(figure)
    assert not [s for s in shapes_of(figure, kind="circle") if "fillcolor" in s]
    assert "The mean face predicts nothing yet." in [note.text for note in figure.layout.annotations]


def test_an_occluder_is_told_and_its_landmarks_are_marked() -> None:
    plain, covered = synthetic_reading(68), synthetic_reading(68, seed=1)
    figure = figures.uncertainty(covered, baseline=plain, occluder=OCCLUDER)
    assert "grey over 12 % of the crop" in caption_of(figure)
    blocks = [s for s in shapes_of(figure, "x2", "rect") if (s["x0"], s["x1"]) == (2, 7)]
    assert len(blocks) == OCCLUDER.covers(plain.points()).sum() > 0
    with pytest.raises(TraceError, match="same model"):
        figures.uncertainty(covered, baseline=synthetic_reading(98))


def test_the_change_of_relations_is_centred_on_zero() -> None:
    plain, covered = synthetic_reading(68), synthetic_reading(68, seed=1)
    change = explain.relation_change(covered, plain, OCCLUDER)
    figure = figures.relation_change(change, covered, plain)
    most = np.abs(change.change).max()
    drawn = {(s["line"]["color"], round(s["line"]["width"], 6)) for s in curves(figure)}
    for value, (query, key) in zip(change.change, change.edges, strict=True):
        colour = figures.palette.to_hex(figures.palette.sample("diverging", 0.5 + value / most / 2))
        if query != key:
            assert (colour, round(float(style.line_width(abs(value), most)), 6)) in drawn
    assert sum(len(t.x) for t in figure.data if t.marker.symbol == "square") == change.covered.sum()
    ticks = [float(n.text) for n in figure.layout.annotations if n.text.lstrip("-").replace(".", "").isdigit()]
    assert sorted(ticks) == sorted(-v for v in ticks)


def test_patches_show_every_state_of_one_stage_or_all() -> None:
    reading = synthetic_reading(68)
    words = [note.text for note in figures.patches(reading).layout.annotations]
    counts = explain.patch_states(reading).count(2)
    assert {f"{n} {state}" for state, n in counts.items()} <= set(words)
    assert sum(word.startswith("<b>stage ") for word in words) == 3
    one = [note.text for note in figures.patches(reading, -1).layout.annotations]
    assert sum(word.startswith("<b>stage ") for word in one) == 1
    with pytest.raises(TraceError, match="no stage 7"):
        figures.patches(reading, 7)


def test_what_a_reading_lacks_is_one_sentence() -> None:
    plain = synthetic_reading(68, variance=False, attention=False)
    for draw in (figures.relations, figures.thumbnails, figures.structure, figures.uncertainty, figures.sigma_bars):
        with pytest.raises(TraceError):
            draw(plain)
    assert "halves" in caption_of(figures.patches(plain))


def test_calibration_draws_the_curve() -> None:
    result = explain.calibration(np.array([0.5, -2.0]), np.ones(2), levels=3)
    curve = figures.calibration(result).data[0]
    np.testing.assert_allclose(np.asarray(curve.customdata)[:, 1], result.observed)


def test_a_report_draws_both_curves_and_the_errors_of_its_groups() -> None:
    drawn = figures.calibration(REPORT)
    values = [np.asarray(trace.customdata)[:, 1].tolist() for trace in drawn.data]
    assert values == [list(REPORT.observed), list(REPORT.recalibrated)]
    assert "drawn test, 6 faces" in caption_of(drawn)
    errors = figures.error_against_sigma(REPORT)
    np.testing.assert_allclose(np.asarray(errors.data[0].customdata), REPORT.bins)
    assert np.ptp(np.asarray(errors.data[0].x)) > 100


def test_relations_of_98_points_have_98_dots() -> None:
    figure = figures.relations(synthetic_reading(98))
    assert len(dots_of(figure).x) == 98
