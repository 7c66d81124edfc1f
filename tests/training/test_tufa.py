"""TUFA's training: its losses by hand, anchors of several conventions, and a run on drawn faces."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.data.test_mixed import write_mixture
from workbench.data.mixed import DENSE, load_mixed, make_layout
from workbench.models.systems import PRESETS, SYSTEMS
from workbench.models.tufa import TUFA
from workbench.models.zoo import load_model
from workbench.training import get_recipe, train
from workbench.training.recipes import Phase
from workbench.training.tufa import AnchoredBatch, TUFATraining, anchor_loss, measure_convention, pointing_loss

TINY = replace(
    PRESETS["tufa-68-compact"], dim=32, depth=1, encoder_heads=2, mlp=32, layers=2, heads=2, ffn=32, hidden=16
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_mixture(tmp_path_factory.mktemp("mixed"), train=8, test=3)


@pytest.fixture
def tiny(monkeypatch):
    presets = {**PRESETS, "tufa-68-compact": TINY}
    monkeypatch.setitem(PRESETS, "tufa-68-compact", TINY)
    monkeypatch.setitem(SYSTEMS, "tufa", replace(SYSTEMS["tufa"], presets=presets))
    return replace(
        get_recipe("tufa"), start=None, batch=6, pack=96, ema=0.5, precision="32-true", phases=(Phase(1, 1e-3),)
    )


def training(root, recipe) -> tuple[TUFATraining, list[torch.Tensor]]:
    layout = make_layout(TINY.conventions, root)
    faces = load_mixed(root, recipe.sets, layout, 96, progress=False)
    torch.manual_seed(0)
    model = TUFA(TINY, TUFATraining.mean_face(faces))
    module = TUFATraining(model, model.scheme, recipe)
    module.adopt(faces)
    chosen = [0, 1, 9, 10, len(faces) - 2, len(faces) - 1]
    return module, [torch.stack(parts) for parts in zip(*(faces[i] for i in chosen), strict=True)]


def test_anchor_loss_by_hand() -> None:
    """Two layers, one face, two anchors of which one is labelled: |0.3| + |-0.1| and |0| + |0.2|."""
    points = torch.tensor([[[0.5, 0.5], [0.1, 0.1]]])
    found = torch.tensor([[[[0.8, 0.4], [9.0, 9.0]]], [[[0.5, 0.7], [9.0, 9.0]]]])
    valid = torch.tensor([[True, False]])
    assert float(anchor_loss(found, points, valid)) == pytest.approx((0.4 + 0.2) / 2)
    assert float(anchor_loss(found, points, valid, every_layer=False)) == pytest.approx(0.2)
    assert float(anchor_loss(found, points, torch.zeros_like(valid))) == 0


def test_pointing_loss_by_hand() -> None:
    """Logits that are all equal cost log 16 on a 4 x 4 grid, wherever the label lies; outside the crop it is free."""
    valid = torch.ones(1, 2, dtype=torch.bool)
    points = torch.tensor([[[0.3, 0.6], [1.4, 0.5]]])
    logits = torch.zeros(1, 1, 2, 16, requires_grad=True)
    loss = pointing_loss(logits, points, valid, 1.0)
    assert float(loss.detach()) == pytest.approx(math.log(16), abs=1e-5)
    loss.backward()
    gradient = logits.grad
    assert gradient is not None and not gradient[0, 0, 1].any()
    assert int(gradient[0, 0, 0].argmin()) == 2 * 4 + 1  # the cell (x 1, y 2) holds (0.3, 0.6)


def test_one_batch_holds_every_convention(root, tiny, monkeypatch) -> None:
    monkeypatch.setattr(TUFATraining, "phase", property(lambda self: tiny.phases[0]))
    module, batch = training(root, tiny)
    out = module.view(batch, torch.Generator().manual_seed(0))
    assert isinstance(out, AnchoredBatch)
    assert out.images.shape == (6, 3, 128, 128) and out.points.shape == (6, 24, 2) and out.anchors.shape == (6, 24)
    assert out.valid.sum(1).tolist() == [24, 24, 24, 24, 5, 5]
    columns = module.layout.columns
    dense = columns[DENSE]
    assert ((out.anchors[0] >= dense.start) & (out.anchors[0] < dense.stop)).any()
    five = columns["five"]
    assert ((out.anchors[4] >= five.start) & (out.anchors[4] < five.stop))[out.valid[4]].all()


@pytest.mark.slow
def test_gradients_reach_every_embedding(root, tiny, monkeypatch) -> None:
    module, batch = training(root, tiny)
    monkeypatch.setattr(TUFATraining, "phase", property(lambda self: tiny.phases[0]))
    out = module.view(batch, torch.Generator().manual_seed(0))
    assert isinstance(out, AnchoredBatch)
    loss = module.model_loss(out.images, out)
    loss.backward()
    assert bool(torch.isfinite(loss))
    for name in TINY.conventions:
        gradient = module.model.alignment[name].grad
        assert gradient is not None and bool(gradient.any()), name
    lost = [n for n, p in module.model.named_parameters() if p.grad is None]
    assert not lost


@pytest.mark.slow
def test_a_run_leaves_a_model_that_knows_its_conventions(root, tiny, tmp_path) -> None:
    path = train(tiny, root, tmp_path, progress=False)
    model = load_model(path, device="cpu")
    assert isinstance(model, TUFA) and model.card is not None
    image = torch.zeros(1, 3, 128, 128)
    for name in ("ibug68", "98", "cofw29", "five", DENSE):
        prompt = model.prompt(name)
        assert bool(model.alignment[model.key_of(name)].any())
        assert model(image, prompt).landmarks.shape == (1, len(prompt), 2)
    rows = {row["labels"]: row for row in model.card.metrics}
    assert rows["own"]["metric"].startswith(("NME", "FR", "AUC"))
    assert {"wflw98, machine-made (pseudo98)", f"{DENSE}, machine-made (dense)"} <= set(rows)
    assert rows["cofw29, human"]["faces"] == 1 and rows["five, human"]["metric"] == "NME inter-pupil"
    assert all(np.isfinite(row["value"]) for row in rows.values())


def test_measured_prompt_is_the_conventions_own(root) -> None:
    """A model that answers with its plane points has the error of the mean shape."""
    torch.manual_seed(0)
    layout = make_layout(("ibug68", "five"), root)
    faces = load_mixed(root, ("w300_68", "mtfl5"), layout, 96, progress=False)

    class Still(TUFA):
        def locate(self, images, prompt):  # type: ignore[no-untyped-def]
            return prompt.expand(1, len(images), *prompt.shape), None

    config = replace(TINY, conventions=("ibug68", "five"))
    model = Still(config, TUFATraining.mean_face(faces)).eval()
    model.set_mean_shapes(faces.mean_shapes())
    row = measure_convention(model, root / "mtfl5", "five", "test")[0]
    assert row["faces"] == 3 and 0 < row["value"] < 60


@pytest.mark.slow
def test_it_learns(root, tiny, monkeypatch) -> None:
    monkeypatch.setattr(TUFATraining, "phase", property(lambda self: tiny.phases[0]))
    module, batch = training(root, tiny)
    optimizer = torch.optim.AdamW(module.model.parameters(), lr=2e-3)
    losses = []
    for _ in range(12):
        out = module.view(batch, torch.Generator().manual_seed(0))
        loss = module.model_loss(out.images, out)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
