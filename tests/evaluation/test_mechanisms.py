"""The mechanism report, on a toy whose mechanisms can be worked by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.errors import DataError
from workbench.evaluation import mechanisms as module
from workbench.evaluation.mechanisms import Cost, interval, mechanism_report, verdict
from workbench.explain.mechanisms import concerned, sentence, summary
from workbench.models import ModelCard, list_models, preset
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel, Mechanism
from workbench.models.systems import SYSTEMS
from workbench.tracing import Tap

DECLARED = (
    Mechanism("shift", "shift", "Eq. 1", "It moves every point to the right."),
    Mechanism("nothing", "nothing", "Eq. 2", "It does nothing.", without="one"),
    Mechanism("constant", "constant", "Eq. 3", "It is the same for every face."),
    Mechanism("elsewhere", "elsewhere.*", "Eq. 4", "Another model has it."),
    Mechanism("built idle", "nothing", "Eq. 5", "It cannot matter.", without="none", idle="Nobody reads it."),
)


class Toy(FaceModel):
    """Every point at the mean face's place, moved right by 20 times the crop's brightness, and down by 3 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.config = preset("dslpt-68-compact")
        self.set_mean_shape(torch.rand(68, 2, generator=torch.Generator().manual_seed(1)))
        self.shift, self.nothing, self.constant = Tap("channel"), Tap("channel"), Tap("channel")

    def normalise(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def forward(self, images: torch.Tensor) -> Alignment:
        right = self.shift(20 * images.mean((1, 2, 3))[:, None])
        self.nothing(right.clone())
        down = self.constant(torch.full((1, 1), 3.0))
        move = torch.cat([right, down.expand_as(right)], 1)
        return Alignment(self.input_size * self.mean_shape + move[:, None])


@pytest.fixture
def toy(monkeypatch) -> Toy:
    monkeypatch.setattr(module, "get_system", lambda name: SimpleNamespace(mechanisms=DECLARED))
    return Toy()


@pytest.mark.slow
def test_frozen_scrambled_and_removed_are_what_they_say(toy, tmp_path) -> None:
    folder = write_synthetic(tmp_path / "drawn", train=2, test=6) or tmp_path / "drawn"
    found = mechanism_report(toy, folder)
    by_name = {f.mechanism.name: f for f in found.findings}
    assert set(by_name) == {"shift", "nothing", "constant", "built idle"}
    shifts = []

    def keep(self, images):
        shifts.append(20 * images.mean((1, 2, 3)).double().numpy())
        return Alignment(self.input_size * self.mean_shape.expand(len(images), -1, -1))

    answer, Toy.forward = Toy.forward, keep
    try:
        list(
            module._answers(toy, module._shown(toy, module.load_faces(toy, folder, None, "test", False), 6, 0, 0)).nme
        )
    finally:
        Toy.forward = answer
    right = np.concatenate(shifts)
    shift = by_name["shift"].costs
    assert shift["frozen"]["plain"].pixels == pytest.approx(np.abs(right - right.mean()).mean(), rel=1e-4)
    assert shift["removed"]["plain"].pixels == pytest.approx(right.mean(), rel=1e-4)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(0))
    source = torch.empty_like(order)
    source[order] = order.roll(1)
    assert shift["scrambled"]["plain"].pixels == pytest.approx(np.abs(right - right[source]).mean(), rel=1e-4)
    spread = right.std() / np.sqrt((right**2).mean())
    assert by_name["shift"].varies == pytest.approx(spread, rel=1e-3)
    assert by_name["nothing"].verdict == "idle"
    assert all(cost.pixels == 0 for under in by_name["nothing"].costs.values() for cost in under.values())
    assert list(by_name["constant"].costs) == ["removed"]  # nothing to freeze or scramble
    assert by_name["constant"].costs["removed"]["plain"].pixels == pytest.approx(3.0, rel=1e-4)
    assert by_name["built idle"].verdict == "idle"
    assert set(found.nme) == {"plain", "rectangle 30 %", "rectangle 50 %"}
    again = mechanism_report(toy, folder)
    assert again.to_dict() == found.to_dict()
    assert json.loads(json.dumps(found.to_dict()))["mechanisms"][0]["costs"]["frozen"]["plain"]["pixels"] > 0
    assert "shift (shift)" in found.text()


def test_one_face_cannot_be_scrambled(toy, tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=1)
    with pytest.raises(DataError, match="give more"):
        mechanism_report(toy, tmp_path / "drawn")


@pytest.mark.slow
def test_a_last_batch_of_one_is_avoided(toy, tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=5)
    assert mechanism_report(toy, tmp_path / "drawn", batch=4).faces == 5


def test_the_rule_of_verdicts() -> None:
    one = DECLARED[0]

    def costs(points: float, low: float) -> dict:
        return {"plain": Cost(points, low, points + 0.1, 1.0, 1.0)}

    assert verdict(one, {"scrambled": costs(0.05, 0.01)}) == "works"
    assert verdict(one, {"scrambled": costs(0.049, 0.01)}) == "weak"
    assert verdict(one, {"scrambled": costs(0.5, -0.01)}) == "idle"
    assert verdict(one, {"frozen": costs(0.0, -0.1), "removed": costs(0.5, 0.4)}) == "weak"
    assert verdict(one, {"removed": costs(0.5, 0.4)}) == "works"  # the same for every face
    pose = Mechanism("p", "p", "", "", answer="pose")
    turned = Cost(np.nan, np.nan, np.nan, 1.5, np.nan)
    assert verdict(pose, {"frozen": {"plain": turned}}) == "works"


def test_the_interval_holds_the_mean_and_shrinks_with_equal_values() -> None:
    values = np.arange(100.0)
    low, high = interval(values)
    deviation = values.std() / 10
    assert low == pytest.approx(49.5 - 1.96 * deviation, abs=0.5)
    assert high == pytest.approx(49.5 + 1.96 * deviation, abs=0.5)
    assert interval(np.full(7, 2.0)) == (2.0, 2.0)


def test_every_declared_tap_is_one_that_the_shelf_has() -> None:
    for card in list_models():
        rows = {row["name"] for row in card.mechanisms}
        declared = SYSTEMS[card.system].mechanisms
        assert declared
        assert rows <= {m.name for m in declared}
        if "attention" in str(card.config.get("insertion", "")) or card.config.get("insertion") == "none":
            continue
        assert rows, card.name


def test_what_a_page_says_is_on_the_card() -> None:
    row = {
        "name": "map",
        "tap": "layers.*.map",
        "idle": "",
        "answer": "landmarks",
        "verdict": "works",
        "costs": {
            "scrambled": {
                "plain": {"points": 0.1, "low": 0.05, "high": 0.2, "moved": 0.8, "pixels": 0.412},
                "rectangle 50 %": {"points": 0.5, "low": 0.4, "high": 0.6, "moved": 1.8, "pixels": 1.0},
            }
        },
    }
    card = ModelCard("m", "M", "dslpt", "", "ibug68", 68, 128, 1, 1, mechanisms=(row, {**row, "tap": "other"}))
    assert concerned(card.mechanisms, ["layers.3.map"]) == [row]
    assert len(concerned(card.mechanisms)) == 2
    said = sentence(row)
    assert "Swapping it between faces moves landmarks by 0.41 px" in said
    assert "+0.10 points of NME" in said and "under a rectangle 50 % by +0.50" in said
    assert sentence({**row, "idle": "Nobody reads it."}) == "map: idle by construction. Nobody reads it."
    assert summary([row, {**row, "name": "b", "verdict": "idle"}]) == "works: map; idle: b"
