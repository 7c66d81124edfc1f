"""What holds for every system: its taps are those declared here, looking changes nothing, and files give it back."""

from __future__ import annotations

import re
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.errors import CheckpointError, ImageError
from workbench.models import list_models, load_model, save_checkpoint
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel, to_tensor
from workbench.models.systems import PRESETS, SYSTEMS, build
from workbench.tracing import Trace, record, taps

# Preset -> taps -> axes and sizes for two crops. "batch 1": the same for every face. None: not met by this preset.
_RELATION = {
    "maps.0": "batch 2, channel 32, y 64, x 64",
    "maps.1": "batch 2, channel 96, y 32, x 32",
    "relation.layers.[0-3].self": "stage 3, batch 2, head 4, query_landmark 68, key_landmark 68",
    "relation.layers.[0-3].cross": "stage 3, batch 2, head 4, query_landmark 68, key_landmark 68",
    "relation.query": "stage 3, batch 1, landmark 68, query 128",
    "relation.structure": "batch 1, landmark 68, encoding 128",
    "patches.next_half": "stage 3, batch 2, landmark 68, half 1",
    "patches.rects": "stage 3, batch 2, landmark 68, rect 4",
    "patches.features": "stage 3, batch 2, landmark 68, channel 128, y 5, x 5",
}
_HEATMAPS = {
    "features": "batch 2, channel 96, y 32, x 32",
    "attended": "batch 2, channel 96, y 32, x 32",
    "heatmaps": "batch 2, landmark 68, y 64, x 64",
}
TAPS: dict[str, dict[str, str | None]] = {
    "dslpt-68-compact": _RELATION,
    "slpt-68-compact": _RELATION,
    "scc-68-compact": {
        "nodes.gate3.channel": "batch 2, channel 64",
        "nodes.gate3.spatial": "batch 2, y 16, x 16",
        "nodes.gate2.channel": "batch 2, channel 48",
        "nodes.gate2.spatial": "batch 2, y 32, x 32",
        "maps": "batch 2, landmark 68, y 32, x 32",
        "features": "batch 2, node 68, channel 1063",
        "graph.input.conv.adjacency": "batch 2, query_landmark 68, key_landmark 68",
        "graph.blocks.[0-3].*.conv.adjacency": "batch 2, query_landmark 68, key_landmark 68",
        "graph.output.adjacency": "batch 2, query_landmark 68, key_landmark 68",
        "graph.input.conv.learned": "batch 1, node 68, neighbour 68",
        "graph.blocks.[0-3].*.conv.learned": "batch 1, node 68, neighbour 68",
        "graph.output.learned": "batch 1, node 68, neighbour 68",
        "relative": "batch 1, landmark 68, neighbour 68",
        "graph.positions": "stage 5, batch 2, node 68, xy 2",
    },
    "ssfa-68-compact-baseline": _HEATMAPS,
    "ssfa-68-compact": {
        **_HEATMAPS,
        "*.attention": "batch 2, query_y 32, query_x 32, key_y 32, key_x 32",
        "*.strength": "batch 1, channel 1",
    },
    "atpn-68-compact": {
        "backbone.blocks.*.gate.weights": "batch 2, channel",
        "levels.0": "batch 2, channel 24, y 28, x 28",
        "levels.1": "batch 2, channel 40, y 14, x 14",
        "levels.2": "batch 2, channel 112, y 7, x 7",
        "landmark.maps.0": "batch 2, channel 40, y 28, x 28",
        "landmark.maps.1": "batch 2, channel 40, y 14, x 14",
        "landmark.maps.2": "batch 2, channel 40, y 7, x 7",
        "landmark.coordinates": "batch 2, channel 2, y 7, x 7",
        "landmark.state": "batch 2, channel 448",
        "heatmap": "batch 2, y 28, x 28",
        "gated": "batch 2, channel 24, y 28, x 28",
        "tracking.blocks.*.gate.weights": "batch 2, channel",
        "tracking.features": "batch 2, channel 56",
        "pose.blocks.*.gate.weights": "batch 2, channel",
        "pose.features": "batch 2, channel 56",
    },
    "chs-68-compact": {
        "maps.[0-2]": "batch 2, channel 48, y 32, x 32",
        "select.weights": "batch 2, branch 3, channel 24",
        "select.attended": "batch 2, channel 64, y 32, x 32",
        "cascades.[01].select.gates.[0-2]": "batch 2, channel 24, y 32, x 32",
        "cascades.[01].select.weights": "batch 2, branch 3, channel 24",
        "cascades.[01].select.attended": "batch 2, channel 32, y 32, x 32",
        "heatmaps": "batch 2, landmark 68, y 32, x 32",
        "guide": "batch 2, channel 69, y 32, x 32",
        "boundary": "batch 2, y 32, x 32",
        "rois.rects": "stage 2, batch 2, landmark 68, rect 4",
        "rois.centres": "stage 2, batch 2, landmark 68, xy 2",
        "rois.offsets": "stage 2, batch 2, landmark 68, channel 2",
        "sizes": "batch 1, cascade 3",
    },
    "tufa-68-compact": {
        "encoder.blocks.[01].self": "batch 2, head 3, query_token 257, key_token 257",
        "prompter.points": "batch 1, landmark 68, xy 2",
        "prompter.encoding": "batch 1, landmark 68, encoding 192",
        "decoder.layers.[0-3].self": "batch 2, head 6, query_landmark 68, key_landmark 68",
        "decoder.layers.[0-2].cross": "batch 2, head 6, landmark 68, y 16, x 16",
        "decoder.layers.3.cross": "batch 2, head 6, landmark 68, y 32, x 32",
        "pointer.map": "batch 2, landmark 68, y 32, x 32",
    },
    "aodn-68-compact": {
        "features": "batch 2, channel 128, y 16, x 16",
        "geometry.map": "batch 2, product 64, y 16, x 16",
        "attention.gate.channel": "batch 2, channel 128",
        "attention.gate.spatial": "batch 2, y 16, x 16",
        "attention.plain": "batch 2, y 16, x 16",
        "attention.weighted": "batch 2, channel 128, y 16, x 16",
        "hybrid": "batch 2, channel 192, y 16, x 16",
        "point_maps": "batch 2, landmark 68, y 16, x 16",
        "code": "batch 2, channel 96",
        "recovered": "batch 2, rank 97, landmark 68, xy 2",
        "singular": "batch 1, rank 96",
    },
}
# Parameters that one batch of 68 points does not reach: the alignments of the other conventions.
UNREACHED = {"tufa-68-compact": "alignment.*"}

every_system = pytest.mark.parametrize("name", TAPS)


def awake(name: str) -> FaceModel:
    """An untrained model in which no weight is left at zero, so that every path counts."""
    torch.manual_seed(11)
    model = build(name, torch.rand(68, 2) * 0.6 + 0.2)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(std=0.05)
    return model.eval()


def crops(model: FaceModel, count: int = 2) -> Tensor:
    return torch.randn(count, 3, model.input_size, model.input_size, generator=torch.Generator().manual_seed(7))


def answers(alignment: Alignment) -> dict[str, Tensor]:
    found = {f.name: getattr(alignment, f.name) for f in fields(alignment)}
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}


@cache
def looked_at(name: str) -> tuple[FaceModel, Alignment, Alignment, Trace]:
    """A model, its answer unseen, its answer while everything was recorded, and the recording."""
    model = awake(name)
    images = crops(model)
    with torch.no_grad():
        plain = model(images)
        with record(model) as trace:
            traced = model(images)
    return model, plain, traced, trace


def test_every_system_is_here_and_every_preset_of_it_names_it() -> None:
    assert {PRESETS[name].system for name in TAPS} == set(SYSTEMS)
    for system in SYSTEMS.values():
        assert {config.system for config in system.presets.values()} == {system.name}
        assert all(name.startswith(f"{system.name}-") for name in system.presets)
        assert set(system.printed_sizes) <= set(system.presets) and set(system.notes) <= set(system.presets)


@every_system
def test_every_tap_has_the_axes_and_the_sizes_that_are_declared(name: str) -> None:
    model, _, _, trace = looked_at(name)
    met = set()
    for tap in taps(model):
        pattern = next((p for p in TAPS[name] if fnmatchcase(tap, p)), None)
        assert pattern is not None, f"{tap} is not declared; it has {trace[tap].shape}"
        met.add(pattern)
        expected = TAPS[name][pattern]
        shape = trace[tap].shape
        assert trace[tap].axes == tuple(a for a in shape if a == "stage") + taps(model)[tap].axes
        told = ", ".join(f"{axis} {size}" for axis, size in shape.items())
        assert re.fullmatch(re.sub(r"([a-z_])(?=,|$)", r"\1 \\d+", expected), told), f"{tap}: {told}"
        assert torch.isfinite(trace[tap].tensor).all(), tap
    assert met == set(TAPS[name])


@every_system
def test_looking_changes_nothing(name: str) -> None:
    model, plain, traced, _ = looked_at(name)
    unseen, seen = answers(plain), answers(traced)
    assert unseen.keys() == seen.keys()
    for key, value in unseen.items():
        scale = model.input_size if key in ("landmarks", "stages", "rects") else 1
        assert torch.allclose(value / scale, seen[key] / scale, atol=1e-5, rtol=1e-5), key


@every_system
def test_the_alignment_s_shapes_and_each_face_of_a_batch_by_itself(name: str) -> None:
    model, plain, _, _ = looked_at(name)
    shapes = {
        "landmarks": "2, 68, 2",
        "stages": r"\d+, \d+, 2, 68, 2",
        "variance": r"\d+, \d+, 2, 68, 2",
        "rects": r"\d+, 2, 68, 4",
        "heatmaps": r"2, 68, \d+, \d+",
        "pose": "2, 3",
        "confidence": "2",
        "visible": r"2, \d+, \d+",
    }
    for key, value in answers(plain).items():
        assert re.fullmatch(shapes[key], str(tuple(value.shape)).strip("(,)")), f"{key}: {tuple(value.shape)}"
        assert torch.isfinite(value).all(), key
    if plain.stages is not None:
        assert torch.equal(plain.stages[-1, -1], plain.landmarks)
    with torch.no_grad():
        alone = torch.cat([model(image[None]).landmarks for image in crops(model)])
    assert torch.allclose(alone, plain.landmarks, atol=1e-3)


@every_system
def test_every_parameter_gets_a_finite_gradient(name: str) -> None:
    model = awake(name).train()
    found = [value.float() for value in answers(model(crops(model, 3))).values() if value.requires_grad]
    torch.stack([value.square().mean() for value in found]).sum().backward()
    for key, parameter in model.named_parameters():
        if parameter.requires_grad and not fnmatchcase(key, UNREACHED.get(name, "")):
            assert parameter.grad is not None, f"{key} is not reached"
            assert torch.isfinite(parameter.grad).all(), key


@every_system
def test_a_file_gives_the_model_back(name: str, tmp_path) -> None:
    model, plain, _, _ = looked_at(name)
    loaded = load_model(save_checkpoint(model, tmp_path / "exact", half=False), device="cpu")
    assert type(loaded) is type(model) and loaded.config == model.config
    assert not loaded.training
    theirs, ours = loaded.state_dict(), model.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[key], ours[key]) for key in ours)
    with torch.no_grad():
        assert torch.allclose(loaded(crops(model)).landmarks, plain.landmarks, atol=1e-4)
    small = save_checkpoint(model, tmp_path / "half")
    assert small.stat().st_size <= 12_000_000
    for key, value in load_model(small, device="cpu").state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, ours[key], rtol=1e-3, atol=1e-6), key


@every_system
def test_crops_and_batches_are_prepared_alike(name: str) -> None:
    """uint8 as a face gives it, and RGB in [0, 1] as an augmented batch holds it."""
    model = awake(name)
    crop = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    tensor = to_tensor(crop)
    assert tensor.shape == (1, 3, 32, 32) and tensor.dtype == torch.uint8 and tensor.is_contiguous()
    assert tensor[0, :, 5, 7].tolist() == crop[5, 7].tolist()
    ready = model.prepare(tensor)
    assert ready.dtype == torch.float32
    assert torch.equal(ready, model.prepare(tensor / 255))
    assert torch.equal(ready, model.normalise(tensor / 255))


@pytest.mark.parametrize("shape", [(1, 3, 128, 256), (3, 128, 128), (1, 1, 128, 128)])
def test_a_batch_that_is_no_square_crops_is_one_sentence(shape: tuple[int, ...]) -> None:
    model = build("dslpt-68-compact", torch.rand(68, 2))
    with pytest.raises(ImageError, match=r"\(B, 3, S, S\)"):
        model(torch.zeros(shape))


@every_system
def test_a_size_that_a_system_cannot_read_is_one_sentence_or_an_answer(name: str) -> None:
    model, side = awake(name), crops(awake(name)).shape[-1]
    for count, size in ((1, 1), (1, side // 4), (1, side - 28), (0, side)):
        try:
            with torch.no_grad():
                found = model(torch.zeros(count, 3, size, size)).landmarks
        except ImageError as error:
            said = str(error)
        else:
            said = f"(B, 3, {side}, {side})" if found.shape == (count, 68, 2) else "another shape"
        assert f"(B, 3, {side}, {side})" in said, (count, size)


@pytest.mark.slow
def test_every_tap_of_a_model_is_recorded() -> None:
    for card in list_models():
        model = load_model(card.name, device="cpu")
        with torch.inference_mode(), record(model) as trace:
            model(crops(model, 1))
        assert set(taps(model)) == set(trace), card.name


def test_what_is_wrong_with_a_batch_is_not_said_of_its_size() -> None:
    atpn, dslpt = awake("atpn-68-compact"), awake("dslpt-68-compact")
    with pytest.raises(RuntimeError, match="dtype|Double|double"):
        atpn(torch.zeros(1, 3, 96, 96, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="dtype|Double|double"):
        dslpt(torch.zeros(1, 3, 256, 256, dtype=torch.float64))
    with pytest.raises(ImageError, match=r"\(B, 3, S, S\)"):
        dslpt(images=torch.zeros(1, 3, 64, 128))


def test_weights_go_where_they_were_sent_or_nowhere(tmp_path) -> None:
    model = build("aodn-68-compact", torch.rand(68, 2))
    assert save_checkpoint(model, tmp_path / "mine") == tmp_path / "mine.safetensors"
    for name in ("mine.pth", "mine.v2"):
        with pytest.raises(CheckpointError, match="another name"):
            save_checkpoint(model, tmp_path / name)
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(CheckpointError, match="could not be written"):
        save_checkpoint(model, tmp_path / "folder.safetensors")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.safetensors", "mine.safetensors"]


@pytest.mark.slow
def test_dslpt_runs_in_half_precision() -> None:
    model = build("dslpt-68-compact", torch.rand(68, 2)).eval()
    images = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        full = model(images).landmarks
        half = model.bfloat16()(images.bfloat16()).landmarks.float()
    assert (full - half).abs().max() < 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_a_model_in_another_type_answers_alike_or_says_why_not(kind: torch.dtype) -> None:
    answered = []
    for name in ("aodn-68", "atpn-68", "chs-68", "dslpt-68", "scc-68", "slpt-68", "ssfa-68", "tufa"):
        model = load_model(name, device="cpu")
        images = torch.rand(1, 3, model.input_size, model.input_size)
        with torch.no_grad():
            expected = model(model.prepare(images)).landmarks
            model.to(kind)
            try:
                found = model(model.prepare(images)).landmarks
            except CheckpointError as error:
                said = str(error)
            else:
                said = ""
        if said:
            assert "call model.float() first" in said
            continue
        answered.append(name)
        assert (found.float() - expected).abs().max() < {torch.float64: 1e-3, torch.float16: 0.5}.get(kind, 4)
    assert {"dslpt-68", "slpt-68", "ssfa-68", "tufa"} <= set(answered)


@pytest.mark.slow
def test_a_compiled_model_records_what_the_plain_one_does() -> None:
    model = load_model("ssfa-68", device="cpu")
    images = model.prepare(crops(model, 1))
    with torch.inference_mode(), record(model, only="heatmaps") as plain:
        model(images)
    compiled = torch.compile(model, backend="eager")
    with torch.inference_mode(), record(model, only="heatmaps") as found:
        compiled(images)
    assert torch.equal(found["heatmaps"].tensor, plain["heatmaps"].tensor)
