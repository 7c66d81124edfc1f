"""CONTRIBUTING's four worked examples: what they name is there, they are as short as promised, and they work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import workbench as wb
from workbench import views
from workbench.data import open_dataset
from workbench.data.readers import READERS, Reader
from workbench.data.samples import Sample
from workbench.errors import SettingsError
from workbench.figures import palette
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel, System
from workbench.models.config import ValidatedConfig
from workbench.models.systems import SYSTEMS, build
from workbench.models.zoo import describe
from workbench.tracing import Tap

ROOT = Path(__file__).parents[1]
SECTIONS = {"Add a system": 8, "Add a view": 8, "Add a reader": 8, "Add a colour map": 1}
"""Heading -> most files that a newcomer touches."""


def steps(heading: str) -> list[list[str]]:
    """The files of each numbered step under a heading."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    items = re.split(r"^\d\. ", text, flags=re.M)[1:]
    return [re.findall(r"`([\w./-]+\.(?:py|js|json|md|safetensors))`", item.split(":")[0]) for item in items]


@pytest.mark.parametrize(("heading", "most"), SECTIONS.items())
def test_an_example_names_files_that_are_there_and_not_too_many(heading: str, most: int) -> None:
    files = [file for step in steps(heading) for file in step]
    assert all(steps(heading)) and len(set(files)) == len(files) <= most
    for file in files:
        own = re.search(r"mynet|myview", file)
        assert (ROOT / file).parent.is_dir() if own else (ROOT / file).is_file(), file


@dataclass(frozen=True)
class ToyConfig(ValidatedConfig):
    system: str = "toy"
    scheme: str = "five"
    landmarks: int = 5
    input_size: int = 32


class Toy(FaceModel):
    """Its answer is the mean face, moved by the crop's mean brightness."""

    def __init__(self, config: ToyConfig, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = config
        self.set_mean_shape(mean_shape)
        self.move = nn.Linear(3, 2)
        self.glow = Tap("toy_channel")

    def forward(self, images: Tensor) -> Alignment:
        moved = self.move(self.glow(images.mean((2, 3))))[:, None]
        return Alignment(images.shape[-1] * (self.mean_shape + 0.1 * moved.tanh()))


TOY = System(
    name="toy", title="Toy", paper="none", config=ToyConfig, model=Toy, presets={"toy-5": ToyConfig()},
    training="workbench.training.toy:ToyTraining", shows="its glow",
)  # fmt: skip


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> FaceModel:
    monkeypatch.setitem(SYSTEMS, "toy", TOY)
    torch.manual_seed(0)
    model = build(ToyConfig(), torch.rand(5, 2) * 0.6 + 0.2).eval()
    model.name = "toy-5"
    return model


def test_a_ninth_system_is_read_described_edited_and_shown(toy: FaceModel) -> None:
    reading = wb.read(toy, wb.sample_face("astronaut"), taps=None)
    assert reading.landmarks.shape == (5, 2)
    assert reading.trace["glow"].shape == {"batch": 1, "toy_channel": 3}
    card = describe(toy)
    assert card.taps == {"glow": ["toy_channel"]} and card.system == "toy"
    offered = {view.name for view in views.offered(views.offer_of(card))}
    assert "inside" in offered and "relations" not in offered
    effect = wb.effect(toy, wb.sample_face("astronaut"), {"glow": wb.edits.Zero()})
    assert effect.displacement.max() > 0
    assert wb.figures.to_bytes(wb.figures.landmarks(reading), "png").startswith(b"\x89PNG")


def test_a_view_is_one_row_that_everything_reads(toy: FaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "VIEWS", dict(views.VIEWS))
    row = views.View(
        name="glow", title="Glow", icon="lightbulb", group="Look inside", question="How bright it is",
        sentence="The mean of each colour.", needs=views.Needs(axes=(("toy_channel",),)), lacks="glow",
        payload=lambda reading, selection: {"meta": {"state": {"selection": dict(selection)}}, "blobs": {}},
        figures=(views.Figure("glow", lambda reading: go.Figure(go.Bar(y=reading.trace["glow"].numpy()[0]))),),
    )  # fmt: skip
    assert views.register(row) is views.get_view("glow")
    assert row in views.offered(views.offer_of(toy))
    assert row not in views.offered(views.offer_of(wb.load_model("dslpt-68", device="cpu")))
    assert "Toy has no glow" in views.without(row, "Toy", [])
    found, figure = views.figures()["glow"]
    drawn = figure.make(wb.read(toy, wb.sample_face("astronaut"), taps="glow"))
    assert found is row and len(drawn.data[0].y) == 3
    with pytest.raises(SettingsError, match="called 'glow' already"):
        views.register(row)


def test_a_reader_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_toy(folder: Path, files: list[Path]) -> list[Sample]:
        return [Sample(path=folder / f"{f.stem}.png", points=np.loadtxt(f), subset="test", name=f.stem) for f in files]

    monkeypatch.setitem(
        READERS,
        "toy",
        Reader(name="toy", title="Toy set", pattern="*.toy", layout="a.toy beside a.png", read=read_toy),
    )
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    (tmp_path / "a.toy").write_text("1 2\n3 4\n5 6\n7 8\n9 10\n")
    found = open_dataset(tmp_path, split="test")
    assert found.format == "toy" and len(found) == 1


def test_a_colour_map_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(palette.MAPS, "magma", "magma")
    assert palette.table("magma").shape == (256, 3)
    drawn = {colour.lower() for _, colour in palette.colourscale("magma")}
    assert drawn == {"#{:02x}{:02x}{:02x}".format(*row) for row in palette.table("magma")}
