"""The table of speeds: measured rows in Markdown, at their place in a page."""

from __future__ import annotations

import pytest
import torch
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import UnknownNameError
from workbench.evaluation import speed
from workbench.evaluation.speed import Speed, cells, markdown, place_of, speeds


def rows(names, batch, device, precision, repeats):
    yield Speed("dslpt-68", True, batch, plain=10, quick=13.5, traced=1.04 if batch == 1 else 0, moved=2e-5)
    yield Speed("slpt-98", False, batch, failed="does not fit into the device's memory")


def test_what_was_measured_takes_its_place_in_a_page(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(speed, "speeds", rows)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n")
    done = CliRunner().invoke(app, ["bench", "--all", "--batch", "1", "--batch", "8", "--write", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert text.startswith("before\n<!-- speed -->\n| one crop at a time | img/s |") and text.endswith("after\n")
    assert "| dslpt-68 | 10.0 | 13.5 | 1.35 | 1.04 | 2e-05 |" in text
    assert "| 8 crops at once | img/s | optimised | ratio | moved px |" in text and "old" not in text
    assert "| slpt-98 (random weights) | does not fit into the device's memory |" in text


def test_a_gpu_has_a_place_of_its_own_and_noise_tells_no_distance() -> None:
    assert [place_of(torch.device(name)) for name in ("cpu", "cuda:1", "mps")] == ["speed", "speed-cuda", "speed-mps"]
    noise = Speed(
        "slpt-98", False, 1, plain=10, quick=10, traced=1, moved=300.0, precision="bf16", half=9, half_moved=5
    )
    assert cells(noise) == ("slpt-98 (random weights)", "10.0", "10.0", "1.00", "1.00", "", "9.0", "")


def test_a_page_without_the_place_is_told_of_before_anything_is_measured(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(speed, "speeds", lambda *_: pytest.fail("measured"))
    page = tmp_path / "page.md"
    page.write_text("no place")
    done = CliRunner().invoke(app, ["bench", "--all", "--write", str(page)])
    assert done.exit_code == 2 and "put <!-- speed --> and <!-- /speed --> where it belongs" in done.output
    done = CliRunner().invoke(app, ["bench", "--batch", "4"])
    assert done.exit_code == 2 and "go with --all" in done.output


def test_a_model_is_measured_both_ways() -> None:
    (row,) = speeds(["atpn-68"], batch=2, device="cpu", precision="fp16", repeats=1)
    assert row.plain > 0 and row.quick > 0 and row.moved < 1e-3
    assert row.half and 0 < row.half_moved < 0.1
    assert "| fp16 img/s | fp16 moved px |" in markdown([row], "here")
    with pytest.raises(UnknownNameError, match="no precision 'fp8'"):
        next(speeds(["atpn-68"], precision="fp8"))
    assert markdown([row], "here").endswith("here") and "| atpn-68 |" in markdown([row], "here")
