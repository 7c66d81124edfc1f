from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import matplotlib
import numpy as np
import plotly.graph_objects as go
import pytest

from tests.readings import synthetic_reading
from workbench import explain, figures
from workbench.errors import TraceError
from workbench.figures.canvas import joined, number
from workbench.figures.legends import Steps
from workbench.figures.relations import bent
from workbench.landmarks import user_scheme
from workbench.reading import Reading

VIEWS: dict[str, tuple[Callable[[Reading], go.Figure], str]] = {
    "landmarks": (figures.landmarks, "alignment.landmarks"),
    "trajectory": (figures.trajectory, "alignment.stages"),
    "relations": (figures.relations, "relation.layers.0.cross · stage 3 of 3 · mean of 4 heads"),
    "one landmark": (lambda r: figures.relations(r, "self", landmark=1), "strongest keys of landmark 1"),
    "partners": (figures.partners, "relation.layers.0.cross"),
    "matrix": (lambda r: figures.matrix(r, layer=None), "mean of 2 layers"),
    "thumbnails": (figures.thumbnails, "2 layers x 4 heads"),
    "matrices": (lambda r: figures.thumbnails(r, style="matrices"), "share the last colour"),
    "structure": (figures.structure, "cosine similarity"),
    "neighbours": (figures.structure_neighbours, "3 most similar"),
    "uncertainty": (figures.uncertainty, "39%, 86%, 99%"),
    "sigma bars": (figures.sigma_bars, "sorted"),
    "patches": (figures.patches, "clamp(12 max v, 0.5, 0.7)"),
}


def caption_of(figure: go.Figure) -> str:
    return str(figure.layout.meta["caption"])


@pytest.mark.parametrize("points", [68, 98, "aflw19", "five"])
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_names_its_tensor_below(name: str, points: int | str) -> None:
    draw, words = VIEWS[name]
    figure = draw(synthetic_reading(points))
    assert words in caption_of(figure)
    shown = figure.layout.annotations[1].text.replace("<br>", " ").replace("\u00a0", " ")
    assert shown == caption_of(figure)
    assert figure.layout.width
    assert figure.layout.height


@pytest.mark.parametrize("name", VIEWS)
def test_words_bound_to_an_axis_lie_inside_it(name: str) -> None:
    figure = VIEWS[name][0](synthetic_reading(68))
    for note in figure.layout.annotations:
        for value, ref in ((note.x, note.xref), (note.y, note.yref)):
            if ref != "paper":
                low, high = sorted(figure.layout[f"{ref[0]}axis{ref[1:]}"].range)
                assert low <= value <= high, note.text


def test_a_scheme_without_groups_still_draws() -> None:
    reading = replace(synthetic_reading("five"), scheme=user_scheme("mine", 5))
    for draw, _ in VIEWS.values():
        draw(reading)


def test_landmarks_lie_in_crop_pixels_with_y_down() -> None:
    reading = synthetic_reading(68)
    figure = figures.landmarks(reading)
    dots = next(t for t in figure.data if t.mode == "markers" and t.hovertext is not None)
    np.testing.assert_allclose(np.stack([dots.x, dots.y], 1), 256 * reading.points())
    bottom, top = figure.layout.yaxis.range
    assert bottom > 256
    assert top == pytest.approx(-0.25)
    image = figure.layout.images[0]
    assert image.source.startswith("data:image/jpeg;base64,")
    assert (image.x, image.sizex) == (pytest.approx(-0.25), 256)


def test_parts_keep_one_colour_and_sides_one_shade() -> None:
    reading = synthetic_reading(68)
    colours = figures.palette.landmark_colours(reading.scheme)
    assert colours[36] == figures.palette.shade("eyes", "image left")
    assert colours[45] == figures.palette.shade("eyes", "image right")
    assert colours[8] == figures.palette.PART_COLOURS["jaw"]
    assert len({colours[36], colours[45], colours[8], colours[17]}) == 4


def test_relation_lines_carry_the_weights_of_their_steps() -> None:
    reading = synthetic_reading(68)
    matrix = explain.attention_matrix(reading)
    found = explain.edges(matrix, 2, 0.05)
    steps = Steps(float(found.weight.max()))
    figure = figures.relations(reading, top_k=2, threshold=0.05)
    lines = [t for t in figure.data if t.mode == "lines" and t.opacity is not None]
    drawn = {t.line.width: int(np.isnan(np.asarray(t.x, float)).sum()) for t in lines}
    for step in range(steps.count):
        assert drawn.get(steps.width(step), 0) == int((steps.of(found.weight) == step).sum())
    assert "weights from 0.05" in caption_of(figure)


def test_a_chosen_landmark_keeps_the_common_scale() -> None:
    reading = synthetic_reading(68)
    scale = "equal steps from 0 to "
    everyone, one = (caption_of(figures.relations(reading, landmark=k)) for k in (None, 5))
    assert everyone.split(scale)[1].split(" ")[0] == one.split(scale)[1].split(" ")[0]


def test_a_threshold_above_all_weights_draws_a_face_without_lines() -> None:
    figure = figures.relations(synthetic_reading(68), threshold=2.0)
    assert "0% of the weight" in caption_of(figure)


def test_matrix_is_reordered_but_not_changed() -> None:
    reading = synthetic_reading(68)
    figure = figures.matrix(reading)
    heat = figure.data[0]
    weights = explain.attention_matrix(reading).weights
    rows, columns = np.asarray(heat.customdata)[..., 0], np.asarray(heat.customdata)[..., 1]
    np.testing.assert_allclose(heat.z, weights[rows, columns], rtol=1e-6)
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
    weights = explain.attention_matrix(reading).weights
    off = weights[~np.eye(68, dtype=bool)].max()
    assert hidden.data[0].zmax == pytest.approx(off)
    frame = [s for s in hidden.layout.shapes if s.line.width == 2]
    assert [(s.x1 - s.x0, s.y1 - s.y0) for s in frame] == [(1, 68)]  # a column


def test_pinned_neighbours_name_the_landmark_and_the_model() -> None:
    caption = caption_of(figures.structure_neighbours(synthetic_reading(68), landmark=30))
    assert "3 most similar other landmarks of nose bridge 4 of 4 (30)" in caption
    assert "68 points" in caption


def test_a_landmark_that_is_not_there_is_refused() -> None:
    both = [synthetic_reading(68), synthetic_reading(98)]
    assert "of landmark 3," in caption_of(figures.structure_neighbours(both, landmark=3))
    calls = (figures.matrix, figures.trajectory, figures.structure, figures.structure_neighbours)
    for draw, readings in [*((call, both[0]) for call in calls), (figures.structure_neighbours, both)]:
        with pytest.raises(TraceError, match="no landmark 68|no landmark 200"):
            draw(readings, landmark=68 if readings is both[0] else 200)


def test_captions_tell_what_was_asked_for() -> None:
    reading = synthetic_reading(68)
    assert "weights from 0.05," not in caption_of(figures.relations(reading, threshold=0.0499725))
    assert "weights from about 0.05" in caption_of(figures.relations(reading, threshold=0.0499725))
    assert "all keys of each landmark" in caption_of(figures.relations(reading, top_k=1000))


def test_structure_is_centred_on_zero_and_takes_two_readings() -> None:
    figure = figures.structure([synthetic_reading(68), synthetic_reading(98)])
    assert [len(t.z) for t in figure.data] == [68, 98]
    assert {(t.zmin, t.zmax) for t in figure.data} == {(-1, 1)}


def test_thumbnails_answer_clicks_with_layer_and_head() -> None:
    figure = figures.thumbnails(synthetic_reading(68))
    cells = next(t for t in figure.data if t.customdata is not None)
    assert np.asarray(cells.customdata).tolist() == [[y, h] for y in range(2) for h in range(4)]


def test_ellipses_have_the_predicted_radii() -> None:
    reading = synthetic_reading(68)
    figure = figures.uncertainty(reading, levels=(2.0,), trajectory=False)
    rings = [np.stack([t.x, t.y], 1) for t in figure.data if t.fill == "toself"]
    pieces = [p for ring in rings for p in np.split(ring, np.flatnonzero(np.isnan(ring[:, 0])))]
    known = [p[~np.isnan(p[:, 0])] for p in pieces]
    widths = sorted(np.ptp(p[:, 0]) for p in known if len(p))
    np.testing.assert_allclose(widths, sorted(4 * 256 * reading.sigma()[:, 0]), rtol=1e-3)


def test_patches_show_every_state_of_one_stage_or_all() -> None:
    reading = synthetic_reading(68)
    words = [note.text for note in figures.patches(reading).layout.annotations]
    counts = explain.patch_states(reading).count(2)
    assert {f"{state} {n}" for state, n in counts.items()} <= set(words)
    assert sum(word.startswith("stage ") for word in words) == 3
    one = [note.text for note in figures.patches(reading, -1).layout.annotations]
    assert sum(word.startswith("stage ") for word in one) == 1
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
    curve = figures.calibration(result).data[2]
    np.testing.assert_allclose(curve.y, result.observed)


def test_small_helpers() -> None:
    assert [number(v) for v in (0, 0.0123, 0.5, 3.456, 28.0)] == ["0", "0.012", "0.50", "3.5", "28"]
    assert np.isnan(joined([np.zeros((2, 2)), np.ones((1, 2))])[:, 0]).tolist() == [False, False, True, False, True]
    arc = bent(np.array([0.0, 0.0]), np.array([10.0, 0.0]))
    np.testing.assert_allclose(arc[[0, -1]], [[0, 0], [10, 0]])
    assert arc[4, 1] < 0  # walking to the right with y down, left is up


def test_maps_sample_their_ends() -> None:
    ends = figures.palette.sample("diverging", [0, 1])
    assert [figures.palette.to_hex(end) for end in ends] == ["#08306B", "#67001F"]


@pytest.mark.parametrize("name", ["inferno", "cividis"])
def test_colours_are_those_of_matplotlib(name: str) -> None:
    at = np.linspace(0, 1, 256)
    np.testing.assert_array_equal(figures.palette.sample(name, at), matplotlib.colormaps[name](at, bytes=True)[:, :3])


def test_relations_of_98_points_have_98_dots() -> None:
    figure = figures.relations(synthetic_reading(98))
    assert sorted(len(t.x) for t in figure.data if t.mode == "markers")[-1] == 98
