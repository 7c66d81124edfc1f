"""Two thousand inputs that no honest program writes: each ends in an answer or in one sentence of ours."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from tests.fuzzing import each, hold, json_text, mutated, twisted, value
from workbench.app import link_options
from workbench.app.url_state import Limits, Shelf, from_link
from workbench.cli import app
from workbench.data import open_dataset
from workbench.data.pack import Packed, pack
from workbench.faces import sample_photo
from workbench.faces.image import formats, load_image
from workbench.landmarks import Scheme, get_scheme
from workbench.landmarks.drawing import Drawing
from workbench.models import build, load_model, preset, save_checkpoint, zoo
from workbench.models.card import ModelCard
from workbench.models.importing import read_state_dict
from workbench.tracing import Trace, record
from workbench.tracking import read_video
from workbench.widgets.relations import SELECTION
from workbench.widgets.selection import committed

SIDE = 40


def _picture(format: str) -> bytes:
    buffer = io.BytesIO()
    sample_photo("frontal-a").resize((SIDE, SIDE)).save(buffer, format)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = replace(preset("dslpt-68-compact"), dim=16, heads=2, layers=1, ffn=16)
    model = build(config, 0.15 + 0.7 * torch.rand(68, 2))
    return save_checkpoint(model, tmp_path_factory.mktemp("c") / "small", zoo.describe(model, name="small"))


def test_photographs() -> None:
    seeds = [_picture(name) for name in formats() if name != "JPEG2000" or "JPEG2000" in Image.SAVE]
    refused = 0
    for i, r in each("photograph", 500):
        data = mutated(r.choice(seeds), r)
        refused += hold(lambda data=data: load_image(data), f"photograph {i}")  # type: ignore[misc]
    assert 100 < refused < 500


@pytest.mark.slow
def test_checkpoints(checkpoint: Path, tmp_path: Path) -> None:
    data, state = checkpoint.read_bytes(), load_file(checkpoint)
    with_header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    config = json.loads(with_header["config"])
    file = tmp_path / "x.safetensors"
    dtypes = (torch.float8_e4m3fn, torch.bool, torch.int8, torch.bfloat16, torch.float64, torch.complex64)
    refused = 0
    for i, r in each("checkpoint", 240):
        match i % 4:
            case 0:
                file.write_bytes(mutated(data[: r.choice((300, 4000, len(data)))], r))
            case 1 | 2:
                tensors, header = state, json_text(config, r).encode("utf-8", "replace").decode()
                save_file(tensors, file, {**with_header, "config": header})
            case _:
                name = r.choice(list(state))
                odd = {**state, name: state[name].to(r.choice(dtypes))}
                if r.random() < 0.3:
                    odd[name] = odd[name].reshape(-1)[: r.randrange(3)]
                save_file({k: v.contiguous() for k, v in odd.items()}, file, with_header)

        def run() -> None:
            model = load_model(file, device="cpu")
            with torch.inference_mode():
                model(torch.zeros(1, 3, model.input_size, model.input_size))

        refused += hold(run, f"checkpoint {i}")
    assert 60 < refused < 240


def test_cards(checkpoint: Path, tmp_path: Path) -> None:
    tree, file = json.loads(checkpoint.with_suffix(".json").read_text()), tmp_path / "card.json"
    for i, r in each("card", 200):
        file.write_bytes(json_text(tree, r).encode("utf-8", "surrogateescape"))

        def run() -> None:
            card = ModelCard.load(file)
            card.to_json().encode()
            zoo.offers(card)
            Limits.of(card)

        hold(run, f"card {i}")


def test_published_weights(tmp_path: Path) -> None:
    seeds = []
    for content in ({"state_dict": {"module.a.weight": torch.ones(3, 3), "b": torch.zeros(2)}}, {"a": {}}, [1]):
        buffer = io.BytesIO()
        torch.save(content, buffer)
        seeds.append(buffer.getvalue())
    legacy = io.BytesIO()
    torch.save({"a": torch.ones(4)}, legacy, _use_new_zipfile_serialization=False)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("x/constants.pkl", b"")
    seeds += [legacy.getvalue(), archive.getvalue(), b"<html>", b"version https://git-lfs.github.com/spec/v1\n"]
    file = tmp_path / "x.pth"
    for i, r in each("weights", 200):
        file.write_bytes(mutated(r.choice(seeds), r))
        hold(lambda: read_state_dict(file), f"weights {i}")


def test_shapes_and_schemes() -> None:
    drawn = json.loads(Drawing(get_scheme("five"), np.full((5, 2), 0.5)).to_json())
    scheme = json.loads(get_scheme("ibug68").to_json())
    for i, r in each("shape", 150):
        text = json_text(drawn, r)
        hold(lambda text=text: Drawing.from_json(text).to_json().encode(), f"shape {i}")  # type: ignore[misc]
    for i, r in each("scheme", 100):
        tree = twisted(scheme, r)
        hold(lambda tree=tree: Scheme.from_json(tree if isinstance(tree, dict) else {}), f"scheme {i}")  # type: ignore[misc]


def test_traces_and_packed_faces(checkpoint: Path, tmp_path: Path) -> None:
    model = load_model(checkpoint, device="cpu")
    with torch.inference_mode(), record(model, only="relation.layers.*") as trace:
        model(torch.zeros(1, 3, 128, 128))
    trace.meta["model"] = "small"
    saved = trace.save(tmp_path / "t.safetensors")
    packed = tmp_path / "p.safetensors"
    Packed(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.zeros(1, 5, 2), torch.ones(1, 5) > 0, ("a",)).save(packed)
    for kind, path, load in (("trace", saved, Trace.load), ("packed", packed, Packed.load)):
        data, tensors = path.read_bytes(), load_file(path)
        about = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        file = tmp_path / f"{kind}-x.safetensors"
        for i, r in each(kind, 100):
            if i % 2:
                file.write_bytes(mutated(data[:3000] if r.random() < 0.5 else data, r))
            else:
                key = r.choice([k for k in about if k != "format"])
                tree = json.loads(about[key]) if about[key] else ""
                save_file(tensors, file, {**about, key: json_text(tree, r).encode("utf-8", "replace").decode()})
            hold(lambda load=load, file=file: load(file), f"{kind} {i}")  # type: ignore[misc]


def test_data_folders(tmp_path: Path) -> None:
    photo = sample_photo("frontal-a").resize((64, 64))
    points = "\n".join(f"{10 + i % 9 * 5} {12 + i // 9 * 5}" for i in range(68))
    row = " ".join(["20.5"] * 196 + ["5", "5", "60", "60"] + ["0"] * 6 + ["a.jpg"])
    header = "file," + ",".join(f"x{i},y{i}" for i in range(5))
    seeds = {
        "annotations.csv": f"{header}\na.jpg," + ",".join(str(5 * i) for i in range(1, 11)) + "\n",
        "a.pts": f"version: 1\nn_points: 68\n{{\n{points}\n}}\n",
        "list_98pt_rect_attr_train.txt": row + "\n",
        "a.tem": "189\n" + "\n".join(["20 30"] * 189) + "\n3\n",
    }
    huge = ("1e308", "99999999", "-99999999", "nan", "inf", "9" * 400, "-1", "²", "1_0", "0x10")
    refused = 0
    for i, r in each("folder", 200):
        folder = tmp_path / str(i)
        folder.mkdir()
        photo.save(folder / "a.jpg")
        name = r.choice(list(seeds))
        text = seeds[name]
        if r.random() < 0.5:
            data = mutated(text.encode(), r)
        else:
            for _ in range(r.choice((1, 3))):
                parts = text.replace(",", " , ").split(" ")
                parts[r.randrange(len(parts))] = r.choice(huge)
                text = " ".join(parts).replace(" , ", ",")
            data = text.encode()
        (folder / name).write_bytes(data)
        refused += hold(lambda folder=folder: pack(open_dataset(folder), 32, progress=False, workers=1), f"folder {i}")  # type: ignore[misc]
    assert 40 < refused < 200


def test_films(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (24, 24), (40 * i, 0, 0)) for i in range(4)]
    seeds = {}
    for ending in (".gif", ".webp", ".png"):
        frames[0].save(tmp_path / f"s{ending}", save_all=True, append_images=frames[1:], duration=40)
        seeds[ending] = (tmp_path / f"s{ending}").read_bytes()
    for i, r in each("film", 100):
        ending = r.choice(list(seeds))
        file = tmp_path / f"{i}{ending}"
        file.write_bytes(mutated(seeds[ending], r))
        hold(lambda file=file: [frame for frame, _ in zip(read_video(file), range(50), strict=False)], f"film {i}")  # type: ignore[misc]


def test_links_and_widget_states() -> None:
    shelf = Shelf(("astronaut",), {"dslpt-68": Limits(3, 4, 4, 68)}, "astronaut", "dslpt-68")
    names = (
        "sample",
        "model",
        "box",
        "face",
        "factor",
        "stage",
        "layer",
        "head",
        "landmark",
        "kind",
        "tensor",
        "photo",
    )

    def settings(text: str) -> None:
        with contextlib.suppress(link_options.LinkError):
            link_options.decode(text)

    for i, r in each("link", 200):
        link = {r.choice(names): str(value(r))[:500] for _ in range(4)}
        hold(lambda link=link: from_link(link, shelf), f"link {i}")  # type: ignore[misc]
        text = mutated(b"1~topk-5~mode-best~occluder.x-0.35~.y-0.6", r).decode("latin-1")
        hold(lambda text=text: settings(text), f"settings {i}")  # type: ignore[misc]
    bounds = {"kind": ["cross", "self"], "stage": {"by": "kind", "of": {"cross": 3, "self": 3}}}
    bounds |= {
        "layer": {"by": "kind", "of": {"cross": 4, "self": 4}},
        "head": {"by": "kind", "of": {"cross": 4, "self": 4}},
    }
    bounds |= {"landmark": 68, "topk": 67}  # type: ignore[dict-item]
    first = {entry.name: entry.default for entry in SELECTION}
    start = committed("relations", {"bounds": bounds}, {"selection": {}}, {"selection": first})
    assert start["selection"]["kind"] == "cross"
    for i, r in each("state", 200):
        given = twisted({"selection": start["selection"]}, r)

        def run(given: Any = given) -> None:
            now = committed("relations", {"bounds": bounds}, given, start)["selection"]
            assert now["kind"] in ("cross", "self") and now["stage"] in range(3) and now["layer"] in range(4)

        hold(run, f"state {i}")


SHELL = [
    ["predict", "\udcff.jpg"],
    ["predict", "a\0b"],
    ["predict", "~nouser/x.jpg"],
    ["predict", "/" + "x/" * 3000],
    ["predict", "x" * 5000],
    ["predict", "sample:\udcff"],
    ["predict", "sample:astronaut", "--model", "\udcff"],
    ["predict", "sample:astronaut", "--model", "x" * 5000 + ".safetensors"],
    ["predict", "sample:astronaut", "--model", "~nouser/m.safetensors"],
    ["predict", "sample:astronaut", "--face", "²"],
    ["predict", "sample:astronaut", "--face", "9" * 5000],
    ["predict", "sample:astronaut", "--face", "\udcff"],
    ["predict", "sample:astronaut", "--box", "1,2,3,1e400"],
    ["predict", "sample:astronaut", "--box", "\udcff"],
    ["predict", "sample:astronaut", "--out", "x" * 5000],
    ["predict", "sample:astronaut", "--out", "a\0b"],
    ["figure", "sample:astronaut", "--view", "\udcff", "--out", "a.svg"],
    ["figure", "sample:astronaut", "--view", "relations", "--out", "a\0b.svg"],
    ["trace", "sample:astronaut", "--out", "~nouser/a.safetensors"],
    ["track", "\udcff.gif"],
    ["track", "a\0b.gif"],
    ["evaluate", "--data", "~nouser"],
    ["evaluate", "--data", "a\0b"],
    ["evaluate", "--data", "x" * 5000],
    ["import-weights", "a\0b.pth", "--system", "slpt", "--out", "a.safetensors"],
    ["shape", "sample:astronaut", "--points", "a\0b"],
    ["shape", "sample:astronaut", "--points", "~nouser/x.json"],
    ["bench", "\udcff"],
    ["train", "\udcff", "--data", "a\0b"],
]


@pytest.mark.parametrize("call", SHELL, ids=lambda call: repr(" ".join(call))[:50])
def test_shell_calls(call: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, call)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())
