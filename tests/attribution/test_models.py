"""Attributions of shipped checkpoints: complete, remembered, safe between threads, and checked."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import workbench as wb
from workbench import attribution
from workbench.attribution import checks
from workbench.attribution.sweeps import positions
from workbench.errors import SettingsError
from workbench.landmarks import SCHEMES
from workbench.landmarks.schemes import get_scheme
from workbench.models import FaceModel

FACE = wb.sample_face("turned-left-30")
NOSE = 30


@pytest.fixture(scope="module")
def dslpt() -> FaceModel:
    return wb.load_model("dslpt-68", device="cpu")


@pytest.fixture(scope="module")
def scc() -> FaceModel:
    return wb.load_model("scc-68", device="cpu")


@pytest.mark.slow
def test_integrated_gradients_are_complete_on_a_checkpoint(dslpt: FaceModel) -> None:
    """Patches leap along the path, and the steps go where they do; of displacements below."""
    found = wb.attribute(dslpt, FACE, NOSE, "log_sigma", "integrated_gradients", fill="blur", steps=96)
    assert found.total is not None and abs(found.total) > 0.5
    assert found.completeness_error == pytest.approx(0, abs=0.05 * abs(found.total))
    assert f"sums to {float(f'{found.sum:.4g}'):g}" in found.caption
    assert "draw the edges of the face" in found.caption


def test_the_slope_of_log_sigma_is_that_of_a_finite_difference(dslpt: FaceModel) -> None:
    images = torch.from_numpy(FACE.crop(dslpt.input_size)).permute(2, 0, 1)[None].float() / 255

    def answer(x: torch.Tensor) -> torch.Tensor:
        return attribution.answers.Asked(dslpt)(x).log_sigma[0, NOSE]

    held = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(answer(held), held)
    direction = gradient / gradient.norm()
    with torch.no_grad():
        steps = [0.0002, 0.0005, 0.001]
        slopes = [float(answer(images + s * direction) - answer(images - s * direction)) / (2 * s) for s in steps]
    assert float(gradient.norm()) == pytest.approx(sorted(slopes)[1], rel=0.15)


@pytest.mark.slow
def test_shapley_values_sum_to_what_covering_the_face_does_for_every_landmark(dslpt: FaceModel) -> None:
    found = attribution.attributed(dslpt, FACE, NOSE, "displacement", "shapley")
    assert sorted(found.attributions) == list(range(68))
    for one in found.attributions.values():
        assert one.completeness_error == pytest.approx(0, abs=1e-3)
    nose = found.shown()
    assert nose.parts.names == ("eyes", "brows", "nose", "mouth", "jaw", "rest")
    assert dict(zip(nose.parts.names, nose.values, strict=True))["nose"] == nose.values.max()


@pytest.mark.slow
def test_another_landmark_and_target_cost_nothing_until_the_weights_change(scc: FaceModel) -> None:
    passes: list[int] = []
    options = {"window": 32, "stride": 32, "progress": lambda done, total: passes.append(done)}
    first = wb.attribute(scc, FACE, NOSE, **options)
    assert max(passes) == len(positions(128, 32, 32)) ** 2 + 1
    passes.clear()
    second = wb.attribute(scc, FACE, 8, "x", **options)
    assert not passes and second.landmark == 8 and not np.allclose(first.map, second.map)
    weight = next(scc.parameters())
    with torch.no_grad():
        weight.mul_(1.0)
    wb.attribute(scc, FACE, NOSE, **options)
    assert passes
    passes.clear()
    with wb.intervene(scc, {"maps": wb.edits.Scale(0.5)}):
        edited = wb.attribute(scc, FACE, NOSE, **options)
    assert passes and not np.allclose(edited.map, first.map)


def test_a_layer_of_an_edited_model_is_refused(scc: FaceModel) -> None:
    with wb.intervene(scc, {"maps": wb.edits.Scale(0.5)}), pytest.raises(SettingsError, match="leave the intervene"):
        wb.attribute(scc, FACE, NOSE, "x", "grad_cam")


@pytest.mark.slow
def test_a_dozen_threads_get_what_one_gets_while_others_read(tiny_model: FaceModel) -> None:
    jobs = [
        ("layer_integrated_gradients", {"steps": 4}), ("grad_cam", {}), ("saliency", {}), ("smoothgrad", {"noisy": 2}),
        ("integrated_gradients", {"steps": 4}), ("occlusion", {"window": 32, "stride": 32}), ("shapley", {}),
        ("kernel_shap", {"samples": 16}), ("feature_ablation", {}), ("captum_occlusion", {"window": 64}),
    ]  # fmt: skip
    alone = [wb.attribute(tiny_model, FACE, k, "x", m, **o).map for k, (m, o) in enumerate(jobs)]
    plain = wb.read(tiny_model, FACE, taps=()).landmarks
    gate = threading.Barrier(len(jobs) + 2)

    def job(k: int) -> np.ndarray:
        gate.wait()
        method, options = jobs[k % 10]
        return wb.attribute(tiny_model, FACE, k % 10, "x", method, **options).map

    with ThreadPoolExecutor(len(jobs) + 3) as pool:
        running = [pool.submit(job, k) for k in range(len(jobs) + 2)]  # two of them the same at once
        while not all(one.done() for one in running):
            np.testing.assert_array_equal(wb.read(tiny_model, FACE, taps=()).landmarks, plain)
            time.sleep(0.1)
        for k, one in enumerate(running):
            np.testing.assert_allclose(one.result(), alone[k % 10], atol=1e-5, err_msg=jobs[k % 10][0])
    assert not any(m._forward_hooks for m in tiny_model.modules())
    assert all(p.grad is None for p in tiny_model.parameters())


def test_the_time_is_told_before(dslpt: FaceModel) -> None:
    plain, slopes = (attribution.cost(dslpt, m) for m in ("occlusion", "integrated_gradients"))
    assert plain.passes == 226 and slopes.passes == 65 + 128
    assert 0 < plain.seconds < slopes.seconds < 2 * plain.seconds


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_has_parts_that_leave_nothing_out(name: str) -> None:
    from tests.readings import drawn_shape

    scheme = get_scheme(name)
    parts = attribution.facial_parts(scheme, 128 * drawn_shape(scheme), 128)
    assert 3 <= len(parts.names) == len(parts.kinds) <= 6 and parts.names[-1] == "rest"
    assert set(np.unique(parts.mask)) <= set(range(len(parts.names)))
    assert parts.mean(np.ones((4, 4))).max() == 1


def test_a_scheme_of_one_s_own_is_cut_by_its_groups_or_into_quarters() -> None:
    points = np.array([[20.0, 20], [100, 20], [20, 100], [100, 100]])
    plain = wb.user_scheme("mine", 4)
    assert attribution.facial_parts(plain, points, 128).names[0] == "upper image left"
    grouped = wb.user_scheme("mine", 4, groups={"top": (0, 1), "bottom": (2, 3)})
    found = attribution.facial_parts(grouped, points, 128)
    assert found.names == ("top", "bottom", "rest")
    assert found.mask[20, 60] == 0 and found.mask[100, 60] == 1 and found.mask[60, 60] == 2


@pytest.mark.slow
def test_curves_begin_at_nothing_and_end_at_the_covered_face(scc: FaceModel) -> None:
    face = wb.sample_face("astronaut")
    found = wb.attribute(scc, face, NOSE, method="shapley")
    told: list[tuple[int, int]] = []
    curves = attribution.curves(scc, face, found, draws=2, progress=lambda *at: told.append(at))
    assert told[-1] == (attribution.curve_passes(2),) * 2
    for name in ("this map", "nearness", "random"):
        assert curves.deletion[name][0] == pytest.approx(0, abs=1e-3)
        assert curves.deletion[name][-1] == pytest.approx(found.total, abs=1e-3)
        assert curves.insertion[name][0] == pytest.approx(found.total, abs=1e-3)
        assert curves.insertion[name][-1] == pytest.approx(0, abs=1e-3)
    assert curves.area(curves.deletion["this map"]) > curves.area(curves.deletion["random"])
    assert (curves.spread["deletion"][0] <= curves.deletion["random"] + 1e-9).all()
    assert "nearness alone" in curves.caption


def test_orders_are_by_the_map_by_distance_and_by_chance(scc: FaceModel) -> None:
    found = wb.attribute(scc, FACE, NOSE, window=32, stride=32)
    made = checks.orders(found, np.array([0.0, 0.0]), 2, 0)
    (mine,), (near,) = made["this map"], made["nearness"]
    score = np.kron(np.abs(found.map), np.ones((4, 4))).ravel()
    assert (np.diff(score[mine]) <= 1e-12).all()
    assert near[0] == 0 and near[-1] == 255
    assert all(sorted(order) == list(range(256)) for order in made["random"])


def test_rank_correlation_by_hand() -> None:
    assert checks.spearman(np.array([1, 2, 3]), np.array([10, 20, 30])) == pytest.approx(1)
    assert checks.spearman(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1)
    # Ranks 1, 2, 3, 4 and 1, 2.5, 2.5, 4: 4.5 / sqrt(5 * 4.5).
    assert checks.spearman(np.array([1, 2, 3, 4]), np.array([0, 5, 5, 9])) == pytest.approx(4.5 / np.sqrt(22.5))
    assert checks.spearman(np.array([1, 2]), np.array([3, 3])) == 0


@pytest.mark.slow
def test_the_edit_of_an_agreement_is_the_effect_of_dropping_one_edge(tiny_model: FaceModel) -> None:
    found = wb.attribute(tiny_model, FACE, NOSE, method="feature_ablation")
    said = attribution.agreement(tiny_model, FACE, found)
    assert said.names == ("attribution", "attention", "edit", "nearness")
    np.testing.assert_allclose(np.diag(said.spearman), 1)
    np.testing.assert_allclose(said.spearman, said.spearman.T)
    assert np.isnan(said.scores["edit"][NOSE])
    for key in (8, 36):
        effect = wb.effect(tiny_model, FACE, {"relation.layers.*.cross": wb.edits.DropEdges(((NOSE, key),))})
        pixels = effect.displacement[NOSE] / FACE.original_side * tiny_model.input_size
        assert said.scores["edit"][key] == pytest.approx(pixels, abs=2e-4)


@pytest.mark.slow
def test_models_with_other_attention_and_with_none_agree_on_what_they_have() -> None:
    ssfa = wb.load_model("ssfa-68", device="cpu")
    said = attribution.agreement(ssfa, FACE, wb.attribute(ssfa, FACE, NOSE, method="feature_ablation"))
    assert "attention_b.spatial.attention" in said.caption and np.nanmax(said.scores["edit"]) > 0
    aodn = wb.load_model("aodn-68", device="cpu")
    said = attribution.agreement(aodn, FACE, wb.attribute(aodn, FACE, NOSE, method="feature_ablation"))
    assert said.names == ("attribution", "nearness") and "no attention that could be compared" in said.caption


def test_scrambled_weights_change_a_map_and_not_the_model(tiny_model: FaceModel) -> None:
    before = [p.clone() for p in tiny_model.parameters()]
    found = wb.attribute(tiny_model, FACE, NOSE, "x", "saliency")
    said = attribution.randomised(tiny_model, FACE, found, steps=2)
    np.testing.assert_allclose(said.shares, [0, 0.5, 1], atol=0.02)
    assert said.correlation[0] == 1 and np.nanmax(said.correlation[1:]) < 0.99
    assert all(torch.equal(a, b) for a, b in zip(before, tiny_model.parameters(), strict=True))
    with pytest.raises(wb.WorkbenchError, match="cancelled"):
        attribution.randomised(tiny_model, FACE, found, progress=lambda *_: False)


@pytest.mark.slow
def test_a_fill_that_is_answered_with_a_like_face_is_told_so(dslpt: FaceModel) -> None:
    """A bare grey is answered with about the mean face, so that a frontal face hardly moves; a turned one does."""
    frontal, turned = wb.sample_face("frontal-b"), wb.sample_face("turned-right-30")
    grey, blur = ("shapley", "grey"), ("shapley", "blur")
    told = [
        "try another fill or a turned face" in wb.attribute(dslpt, face, NOSE, method=method, fill=fill).caption
        for face, (method, fill) in ((frontal, grey), (turned, blur), (turned, grey))
    ]
    assert told == [True, False, False]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["slpt-68", "scc-68", "ssfa-68", "aodn-68", "atpn-68", "chs-68", "tufa", "dslpt-68"])
def test_every_system_can_be_attributed(name: str) -> None:
    model = wb.load_model(name, device="cpu")
    for method in ("feature_ablation", "saliency", "grad_cam"):
        found = wb.attribute(model, FACE, NOSE, method=method)
        assert np.isfinite(found.map).all() and np.abs(found.map).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [("scc-68", 48), ("aodn-68", 48), ("tufa", 48), ("chs-68", 96)])
def test_integrated_gradients_of_displacements_are_complete(name: str, steps: int) -> None:
    """A graph, a plain network, a transformer, and one whose regions leap along the path."""
    model = wb.load_model(name, device="cpu")
    found = wb.attribute(model, FACE, NOSE, method="integrated_gradients", steps=steps)
    assert found.completeness_error == pytest.approx(0, abs=0.1 * abs(found.total))
