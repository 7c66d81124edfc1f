"""Every tap of every system can be changed: unchanged it changes nothing, and what is removed is missed."""

from __future__ import annotations

import re

import pytest
import torch

from tests.models.test_systems import TAPS, answers, awake, crops
from workbench.errors import TraceError
from workbench.faces import sample_face
from workbench.models import list_models, load_model
from workbench.tracing import edits, intervene, record, taps


@pytest.mark.slow
@pytest.mark.parametrize("name", TAPS)
def test_every_tap_is_two_way(name: str) -> None:
    model = awake(name)
    images = crops(model)
    found = taps(model)
    with torch.no_grad():
        plain = answers(model(images))
        with record(model) as trace:
            model(images)
        for path, tap in found.items():
            if path not in trace:  # not met by this preset
                continue
            if tap.observer:
                with pytest.raises(TraceError, match="only shows"), intervene(model, {path: edits.Zero()}):
                    pass
                continue
            with intervene(model, {path: edits.Identity()}):
                same = answers(model(images))
            for part, value in plain.items():
                torch.testing.assert_close(same[part], value, rtol=1e-5, atol=1e-4 if part != "confidence" else 1e-6)
            with intervene(model, {path: edits.Zero()}), record(model, only=path) as seen:
                zeroed = answers(model(images))
            assert not seen[path].tensor.any(), path
            assert seen.meta["edits"] == {path: ["set to zero"]}
            moved = max(float((zeroed[part] - value).abs().max()) for part, value in plain.items())
            assert moved > 0, path


IDLE = {name: ["relation.layers.0.self"] for name in ("dslpt-68", "dslpt-68-tied", "dslpt-98", "slpt-68")}
IDLE |= {name: ["decoder.layers.0.self"] for name in ("tufa", "tufa-zero")}


@pytest.mark.parametrize("name", [card.name for card in list_models()])
def test_what_is_idle_by_construction_can_be_scrambled_and_the_rest_cannot(name: str) -> None:
    """Weights that sum to one give the same mean of one constant value, in the papers too."""
    model = load_model(name, device="cpu")
    told = [path for path, tap in taps(model).items() if tap.idle]
    assert told == IDLE.get(name, [])
    if not told:
        return
    images = model.prepare(torch.from_numpy(sample_face("astronaut").crop(model.input_size)).permute(2, 0, 1)[None])
    with torch.no_grad():
        plain = model(images).landmarks / model.input_size

        def moved(path: str, edit: edits.Scramble) -> float:
            with intervene(model, {path: edit}):
                return float((model(images).landmarks / model.input_size - plain).abs().max())

        for path in told:
            assert moved(path, edits.Scramble("key_landmark")) < 1e-6
            later = [p for p in taps(model) if re.sub("[0-9]+", "", p) == re.sub("[0-9]+", "", path) and p != path]
            assert max(moved(p, edits.Scramble("key_landmark")) for p in later) > 1e-4
