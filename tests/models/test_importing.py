"""The authors' weights by their own names: strict, safe, and with a sentence when they do not fit."""

from __future__ import annotations

import pickle
import re
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
import torch

from workbench.errors import CheckpointError, UnknownNameError
from workbench.models import build, card, list_models, load_model, preset, save_checkpoint
from workbench.models.dslpt import infer_config, published_name
from workbench.models.importing import load_trunk, read_start, read_state_dict
from workbench.models.zoo import describe


def published(tmp_path, system: str = "dslpt", wrap: str | None = "state_dict", **changes):
    """A file as the authors write it, made from one of our models."""
    name = "dslpt-98-lite" if system == "dslpt" else "slpt-98-lite"
    config = replace(preset(name), landmarks=29, scheme="cofw29", layers=2, **changes)
    torch.manual_seed(1)
    shape = torch.rand(29, 2)
    model = build(config, shape).eval()
    state = {
        "module." + published_name(k, model.config): v for k, v in model.state_dict().items() if k != "mean_shape"
    }
    path, init = tmp_path / f"{system}.pth", tmp_path / "init.npz"
    torch.save({wrap: state} if wrap else state, path)
    np.savez(init, init_face=shape.numpy().astype(np.float64) * 256)
    return model, path, init, state


@pytest.mark.parametrize("system", ["slpt", "dslpt"])
@pytest.mark.parametrize("wrap", ["state_dict", "model", None])
def test_published_weights_answer_like_the_model_they_came_from(tmp_path, system, wrap) -> None:
    model, path, init, _ = published(tmp_path, system, wrap)
    loaded = load_model(path, system=system, init_face=init, device="cpu")
    image = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        expected, got = model(image), loaded(image)
    assert torch.allclose(expected.stages, got.stages, atol=1e-3)
    if system == "dslpt":
        assert torch.allclose(expected.variance, got.variance, atol=1e-5)
    assert loaded.config.backbone == "hrnet_w18_lite" and loaded.config.layers == 2
    assert loaded.scheme.count == 29


def test_full_and_lite_backbones_are_told_apart() -> None:
    for name in ("dslpt-98-w18", "dslpt-98-lite", "slpt-98-lite", "dslpt-98-resnet34", "dslpt-98-resnet50"):
        config = preset(name)
        state = build(config, torch.rand(98, 2)).state_dict()
        theirs = {published_name(k, config): v for k, v in state.items()}
        assert infer_config(theirs, system=config.system) == config


def test_other_systems_take_one_mean_face(tmp_path) -> None:
    _, path, init, _ = published(tmp_path)
    with pytest.raises(CheckpointError, match="answers one convention"):
        load_model(path, system="dslpt", init_face=[init, init])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["dslpt-98-lite", "dslpt-98-resnet34", "scc-98-sc", "tufa-98-s16", "aodn-68-resnet18"]
)
def test_a_backbone_starts_from_published_weights_of_it_alone(tmp_path, name) -> None:
    """The published file has no prefix, a classifier besides, and of an older torchvision no counters."""
    points = torch.linspace(0.1, 0.9, 2 * preset(name).landmarks).view(2, -1).T
    source, model = build(name, points), build(name, points)
    with torch.no_grad():
        for tensor in source.parameters():
            tensor.copy_(torch.randn_like(tensor))
    new = ("head.", "reduce.", "laterals.")
    theirs = {
        short: tensor
        for key, tensor in source.state_dict().items()
        if key.startswith(("backbone.", "encoder."))
        and not (short := key.partition(".")[2]).startswith(new)
        and not key.endswith("num_batches_tracked")
    }
    path = tmp_path / "imagenet.pth"
    torch.save({**theirs, "fc.weight": torch.zeros(1000, 8), "head.weight": torch.zeros(1000, 8)}, path)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert load_trunk(model, path) == len(theirs)
    for key, tensor in model.state_dict().items():
        taken = key.startswith(("backbone.", "encoder.")) and key.partition(".")[2] in theirs
        assert torch.equal(tensor, theirs[key.partition(".")[2]] if taken else before[key]), key
    first = next(iter(theirs))
    block = next(key for key in theirs if key.count(".") > 1)
    for wrong, words in (
        ({k: v for k, v in theirs.items() if k != block}, "missing"),
        ({**theirs, first: torch.zeros(3)}, "another shape"),
        ({"conv.weight": torch.zeros(3)}, "have its names"),
    ):
        torch.save(wrong, path)
        with pytest.raises(CheckpointError, match=words):
            load_trunk(model, path)
        assert torch.equal(model.state_dict()["mean_shape"], before["mean_shape"])


def test_a_missing_and_a_spare_tensor_are_named(tmp_path) -> None:
    _, path, init, state = published(tmp_path)
    state.pop("module.out_std_layer.bias")
    state["module.surplus"] = torch.zeros(1)
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r"out_std_layer\.bias missing and surplus left over"):
        load_model(path, system="dslpt", init_face=init)


def test_the_other_system_s_weights_are_refused(tmp_path) -> None:
    _, path, init, _ = published(tmp_path, "slpt")
    with pytest.raises(CheckpointError, match="does not fit DSLPT"):
        load_model(path, system="dslpt", init_face=init)


def test_values_that_are_not_finite_are_refused(tmp_path) -> None:
    _, path, init, state = published(tmp_path)
    state["module.out_mean_layer.bias"][0] = float("nan")
    torch.save(state, path)
    with pytest.raises(CheckpointError, match="out_mean_layer.bias holds values that are not finite"):
        load_model(path, system="dslpt", init_face=init)


def test_weights_of_a_width_or_depth_that_cannot_be_are_refused(tmp_path) -> None:
    _, path, init, state = published(tmp_path)
    flat = {k: v for k, v in state.items() if "Transformer_block.layers." not in k}
    narrow = {**state, "module.Transformer.landmark_query": torch.zeros(1, 29, 20)}
    for wrong in (flat, narrow):
        torch.save(wrong, path)
        with pytest.raises(CheckpointError, match="heads divide"):
            load_model(path, system="dslpt", init_face=init)


def test_the_mean_face_is_asked_for_and_checked(tmp_path) -> None:
    _, path, _, _ = published(tmp_path)
    with pytest.raises(CheckpointError, match="pass it with init_face"):
        load_model(path, system="dslpt")
    with pytest.raises(CheckpointError, match=r"\(29, 2\)"):
        load_model(path, system="dslpt", init_face=np.linspace(60, 200, 136).reshape(68, 2))
    with pytest.raises(CheckpointError, match="finite"):
        load_model(path, system="dslpt", init_face=np.full((29, 2), np.nan))
    with pytest.raises(CheckpointError, match="multiply it by 256"):
        load_model(path, system="dslpt", init_face=np.linspace(0.2, 0.8, 58).reshape(29, 2))
    with pytest.raises(CheckpointError, match="init_face"):
        read_start(tmp_path / "nothing.npz")
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(CheckpointError, match="readable"):
        read_start(tmp_path / "text.npz")


class Bomb:
    def __init__(self, mark) -> None:
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def _beside(state: dict) -> dict:
    """A file of a whole training: weights, moving averages, an optimiser's state, numbers that NumPy made."""
    moments = {i: {"step": torch.zeros(1), "exp_avg": torch.zeros(3)} for i in range(4000)}
    return {
        "epoch": 3, "best": np.float64(4.1), "seed": np.int64(7), "loss": torch.zeros(()),
        "optimizer": {"state": moments, "param_groups": [{"lr": 1e-3}]}, "model_state_dict": state,
    }  # fmt: skip


WRITTEN = {
    "compiled": lambda s: {f"_orig_mod.{k}": v for k, v in s.items()},
    "compiled, then parallel": lambda s: {f"module._orig_mod.{k}": v for k, v in s.items()},
    "parallel in Lightning": lambda s: {"state_dict": {f"model.module.{k}": v for k, v in s.items()}, "epoch": 2},
    "a net": lambda s: {"net": s, "epoch": 3},
    "averaged": lambda s: {"ema": {**{f"module.{k}": v for k, v in s.items()}, "n_averaged": torch.ones(())}},
    "a whole training": _beside,
    "two deep": lambda s: {"checkpoint": {"network": s}},
    "profiled": lambda s: {**s, "total_ops": torch.zeros(1), "feature_extractor.total_params": torch.zeros(1)},
    "no counts": lambda s: {k: v for k, v in s.items() if "num_batches_tracked" not in k},
    "half": lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()},
    "one part compiled": lambda s: {k.replace("Transformer.", "Transformer._orig_mod.", 1): v for k, v in s.items()},
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A published state dict, the model it came from and its mean face."""
    folder = tmp_path_factory.mktemp("published")
    model, path, start, _ = published(folder, wrap=None)
    return model, read_state_dict(path), start


@pytest.mark.slow
@pytest.mark.parametrize("how", WRITTEN)
def test_a_state_dict_is_read_however_a_tool_has_written_it(plain, tmp_path, how: str) -> None:
    _, state, _ = plain
    torch.save(WRITTEN[how](state), tmp_path / "w.pth")
    found = read_state_dict(tmp_path / "w.pth")
    assert set(found) == {k for k in state if how != "no counts" or "num_batches_tracked" not in k}
    assert all(torch.allclose(found[k].float(), state[k].float(), atol=2e-3) for k in found)


def test_counts_of_batches_are_not_needed(plain, tmp_path) -> None:
    model, state, start = plain
    torch.save(WRITTEN["no counts"](state), tmp_path / "w.pth")
    loaded = load_model(tmp_path / "w.pth", system="dslpt", init_face=start, device="cpu")
    images = torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        assert torch.equal(loaded(images).landmarks, model(images).landmarks)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html>Not found</html>", "a web page"),
        (b"\n  <html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n", "git lfs pull"),
        (b"\x89HDF\r\n", "Keras"),
    ],
)
def test_a_file_of_another_kind_is_told_apart(tmp_path, content: bytes, said: str) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=said):
        read_state_dict(path)


def test_a_program_and_an_archive_are_told_apart(tmp_path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_state_dict(tmp_path / "w.pt")
    np.savez(tmp_path / "w.npz", a=np.zeros(3))
    with pytest.raises(CheckpointError, match="NumPy arrays"):
        read_state_dict(tmp_path / "w.npz")


def test_a_class_that_is_in_the_way_is_named(tmp_path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1)}, "args": Namespace(lr=1)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"it holds a argparse\.Namespace"):
        read_state_dict(tmp_path / "w.pth")


@pytest.mark.filterwarnings("ignore:Detected pickle")
def test_a_pickle_with_code_is_never_run(tmp_path) -> None:
    path, mark = tmp_path / "evil.pth", tmp_path / "workbench-was-here"
    torch.save({"state_dict": {"x": Bomb(mark)}}, path)
    with pytest.raises(CheckpointError, match="never run"):
        load_model(path, system="dslpt", init_face=np.zeros((98, 2)))
    path.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(CheckpointError):
        load_model(path, system="dslpt", init_face=np.zeros((98, 2)))
    assert not mark.exists()
    pickle.loads(path.read_bytes()).close()
    assert mark.exists(), "it would have left its mark"


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04broken"])
def test_damaged_files_get_a_sentence(tmp_path, content) -> None:
    for suffix in (".pth", ".safetensors"):
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            load_model(path, system="dslpt" if suffix == ".pth" else None, init_face=np.zeros((98, 2)))


def test_a_file_that_holds_itself_comes_to_an_end(tmp_path) -> None:
    endless: dict = {"a": torch.zeros(2)}
    endless["model"] = endless
    torch.save(endless, tmp_path / "self.pth")
    assert set(read_state_dict(tmp_path / "self.pth")) == {"a"}


@pytest.mark.filterwarnings("ignore:Detected pickle")
@pytest.mark.parametrize("suffix", [".npz", ".pth"])
def test_a_file_damaged_in_any_way_gets_a_sentence(tmp_path, suffix: str) -> None:
    path, rng = tmp_path / f"damaged{suffix}", np.random.default_rng(0)
    if suffix == ".npz":
        np.savez_compressed(path, init_face=rng.uniform(0, 256, (98, 2)))
    else:
        torch.save({"a": torch.zeros(4)}, path, _use_new_zipfile_serialization=False)
    read, whole, refused = {".npz": read_start, ".pth": read_state_dict}[suffix], path.read_bytes(), 0
    for _ in range(200):
        broken = bytearray(whole)
        for at in rng.integers(0, len(whole), 2):
            broken[at] = rng.integers(256)
        path.write_bytes(bytes(broken))
        try:
            read(path)
        except CheckpointError:
            refused += 1
    assert refused > 100


def test_a_pth_without_its_system_says_what_to_add(tmp_path) -> None:
    _, path, _, _ = published(tmp_path)
    with pytest.raises(CheckpointError, match="one of .*slpt"):
        load_model(path)
    with pytest.raises(UnknownNameError, match="'chs' cannot be imported; choose one of .*slpt"):
        load_model(path, system="chs", init_face=np.zeros((29, 2)))


@pytest.mark.parametrize(("system", "name"), [("dslpt", "dslpt-68"), ("ssfa", "ssfa-68"), ("tufa", "tufa")])
def test_a_system_s_name_gives_its_own_model(system, name) -> None:
    assert load_model(system).name == name


def test_an_unknown_name_suggests_the_nearest() -> None:
    names = [one.name for one in list_models()]
    assert names, "the repository ships checkpoints"
    with pytest.raises(UnknownNameError, match=names[0]):
        load_model(names[0] + "x")


def test_our_own_files_keep_the_model_s_answers(tmp_path) -> None:
    torch.manual_seed(2)
    model = build(replace(preset("dslpt-68-compact"), layers=1), torch.rand(68, 2)).eval()
    model.name = "mine"
    path = save_checkpoint(model, tmp_path / "mine", describe(model, title="Mine"), half=False)
    loaded = load_model(path, device="cpu")
    image = torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        assert torch.equal(model(image).stages, loaded(image).stages)
    assert loaded.card is not None and loaded.card.title == "Mine"
    assert loaded.card.sha256 == loaded.checkpoint
    assert loaded.config == model.config


def test_our_own_damaged_files_get_a_sentence(tmp_path) -> None:
    from safetensors.torch import save_file

    model = build(replace(preset("dslpt-68-compact"), layers=1), torch.rand(68, 2))
    with torch.no_grad():
        model.head.mean.bias[0] = float("inf")
    path = save_checkpoint(model, tmp_path / "inf")
    with pytest.raises(CheckpointError, match="not finite"):
        load_model(path)
    save_file({"x": torch.zeros(2)}, str(tmp_path / "foreign.safetensors"))
    with pytest.raises(CheckpointError, match="not a workbench checkpoint"):
        load_model(tmp_path / "foreign.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(path)
    heads = re.search(rb'heads\\": (\d+)', whole)
    assert heads
    scheme = whole.index(b"ibug68")
    for start, end, wrong in ((*heads.span(1), b"0"), (*heads.span(1), b"3"), (scheme, scheme + 6, b"wflw98")):
        path.write_bytes(whole[:start] + wrong + whole[end:])
        with pytest.raises(CheckpointError, match="its own configuration"):
            load_model(path)
    with pytest.raises(CheckpointError, match="does not exist"):
        save_checkpoint(model, tmp_path / "no" / "x")


def test_one_unreadable_card_leaves_the_others_on_the_shelf(tmp_path, monkeypatch) -> None:
    names = {one.name for one in list_models()}
    for path in card.share("checkpoints").glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "atpn-68.json").write_text("{ not json")
    monkeypatch.setattr(card, "share", lambda _: tmp_path)
    assert {one.name for one in list_models()} == names - {"atpn-68"}
    with pytest.raises(CheckpointError, match=r"atpn-68\.json cannot be read"):
        load_model("atpn-68")


def test_an_absent_device_gets_a_sentence() -> None:
    with pytest.raises(UnknownNameError, match="not available"):
        load_model(list_models()[0].name, device="cuda:7")
