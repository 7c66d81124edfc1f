"""`workbench attribute`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from workbench.cli import app

ASK = ["attribute", "sample:turned-left-30", "--model", "scc-68", "--landmark", "30", "--method", "feature-ablation"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "html", "json", "csv", "safetensors"])
def test_every_form_is_written(tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"found.{kind}"
    done = CliRunner().invoke(app, [*ASK, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "passes, about" in done.stderr
    assert f"{out}: Feature ablation of facial parts (Captum) · how far nose bridge 4 of 4 (30) moves" in done.stdout
    if kind == "png":
        assert out.read_bytes().startswith(b"\x89PNG")
    elif kind == "html":
        text = out.read_text(encoding="utf-8")
        assert "<html" in text and "https://" not in text.split("</head>")[0]
    elif kind == "json":
        found = json.loads(out.read_text(encoding="utf-8"))
        assert found["landmark"] == 30 and len(found["map"]) == found["input_size"] == 128
        assert set(found["parts"]) == {"eyes", "brows", "nose", "mouth", "jaw", "rest"}
    elif kind == "csv":
        assert out.read_text(encoding="utf-8").splitlines()[0] == "part,value"
    else:
        held = load_file(out)
        assert held["map"].shape == held["regions"].shape == (128, 128)
        np.testing.assert_allclose(held["values"][held["regions"]], held["map"])


@pytest.mark.slow
def test_without_a_file_the_numbers_are_printed_and_a_check_is_told() -> None:
    done = CliRunner().invoke(app, [*ASK, "--check"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "part,value" and len(done.stdout.splitlines()) == 7
    for words in ("nearness alone", "Rank correlation of the map with attention", "layers were scrambled"):
        assert words in done.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--method", "magic"], "There is no attribution method 'magic'"),
        (["--target", "z"], "There is no target 'z'"),
        (["--target", "log-sigma"], "scc-68 predicts no sigma"),
        (["--landmark", "68"], "scc-68 has the landmarks 0 to 67, not 68."),
        (["--fill", "sand"], "There is no fill 'sand'"),
        (["--method", "grad-cam", "--layer", "x"], "scc-68 has no layer 'x'"),
        (["--out", "nowhere/x.png"], "The folder nowhere does not exist"),
        (["--out", "x.gif"], "x.gif cannot be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(given: list[str], words: str) -> None:
    done = CliRunner().invoke(app, [*ASK, *given])
    assert done.exit_code == 2
    assert words in done.stderr and "Traceback" not in done.output
