"""Every tap of every system can be changed: unchanged it changes nothing, and what is removed is missed."""

from __future__ import annotations

import re

import pytest
import torch

from tests.models.test_systems import TAPS, answers, awake, crops
from workbench.errors import TraceError
from workbench.faces import sample_face
from workbench.models import load_model
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


@pytest.mark.parametrize("name", ["dslpt-68", "slpt-68", "tufa"])
def test_the_first_self_attention_cannot_matter_and_later_ones_do(name: str) -> None:
    """The values of the first layer's self-attention are one constant vector, for the state starts at zero: any
    weights that sum to one give the same, in the papers too."""
    model = load_model(name, device="cpu")
    images = model.prepare(torch.from_numpy(sample_face("astronaut").crop(model.input_size)).permute(2, 0, 1)[None])
    layers = [path for path in taps(model) if re.fullmatch(r".*layers\.[0-9]+\.self", path)]
    with torch.no_grad():
        plain, moved = model(images).landmarks, []
        for path in layers:
            with intervene(model, {path: edits.Uniform()}):
                moved.append(float((model(images).landmarks - plain).abs().max()))
    assert moved[0] < 1e-3 < 0.01 < max(moved[1:])
