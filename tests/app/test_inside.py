"""The Inside and Self-attention pages on models of several systems, and what the others say of a model they cannot
show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.app.conftest import Opener, words
from tests.app.test_pages import healthy, selection, widgets
from tests.readings import drawn_shape
from workbench.app import explorer, inside, readings, self_attention
from workbench.landmarks import get_scheme
from workbench.models import build, preset, save_checkpoint, zoo

ATTENTION = "attention_b.spatial.attention"
SSFA = {"ssfa-68": "compact", "ssfa-68-baseline": "compact-baseline", "ssfa-68-free": "compact-free"}


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny dslpt-68 and three ssfa-68, untrained."""
    folder = tmp_path_factory.mktemp("several")
    torch.manual_seed(0)
    shape = torch.from_numpy(drawn_shape(get_scheme("68"))).float()
    configs = {"dslpt-68": replace(preset("dslpt-68-compact"), dim=16, heads=2, layers=2, ffn=32)}
    configs |= {name: preset(f"ssfa-68-{kind}") for name, kind in SSFA.items()}
    for name, config in configs.items():
        model = build(config, shape)
        model.name = name
        save_checkpoint(model, folder / name, zoo.describe(model, title=f"Small {name}"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "tensor"),
    [("dslpt-68", "relation.layers.1.cross"), ("ssfa-68", ATTENTION), ("ssfa-68-baseline", "heatmaps")],
)
def test_every_model_has_something_inside(model: str, tensor: str, open_page: Opener) -> None:
    at = open_page("inside", model=model)
    assert healthy(at)
    assert any("inside" in name for name in widgets(at))
    assert at.selectbox(key="inside_tensor").value == tensor


@pytest.mark.slow
def test_another_tensor_is_recorded_alone(open_page: Opener) -> None:
    at = open_page("inside", model="ssfa-68", landmark="30")
    at.selectbox(key="inside_tensor").select("features").run()
    assert healthy(at)
    assert set(readings.reading(selection(at), record=("features",)).reading.trace) == {"features"}
    at.selectbox(key="inside_tensor").select(inside.TRAJECTORY).run()
    assert healthy(at)
    assert at.query_params["tensor"] == inside.TRAJECTORY
    assert not readings.reading(selection(at), record=()).reading.trace


@pytest.mark.slow
def test_a_link_names_the_tensor(open_page: Opener) -> None:
    at = open_page("inside", model="ssfa-68", tensor="features")
    assert healthy(at)
    assert at.selectbox(key="inside_tensor").value == "features"
    assert at.query_params["tensor"] == "features"
    nonsense = open_page("inside", model="ssfa-68", tensor="<script>")
    assert healthy(nonsense)
    assert selection(nonsense).tensor == ""
    assert "no name of a tensor or of a kind" in words(nonsense)


@pytest.mark.slow
def test_a_model_without_the_chosen_tensor_shows_its_own(open_page: Opener) -> None:
    at = open_page("inside", model="ssfa-68")
    at.selectbox(key="inside_tensor").select("attended").run()
    at.selectbox(key="model_choice").select("dslpt-68").run()
    assert healthy(at)
    assert selection(at).model == "dslpt-68"
    assert at.selectbox(key="inside_tensor").value == "relation.layers.1.cross"
    assert any("dslpt-68 records no tensor `attended`" in caption.value for caption in at.caption)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "lacks"),
    [
        ("relations", "no attention between landmarks"),
        ("structure", "no structure encodings"),
        ("uncertainty", "no uncertainty"),
    ],
)
def test_a_page_says_what_a_model_lacks_and_offers_one_that_has_it(page: str, lacks: str, open_page: Opener) -> None:
    at = open_page(page, model="ssfa-68")
    assert healthy(at)
    assert not widgets(at)
    assert lacks in words(at)
    at.button(key=f"wb_fit_{page}").click().run()
    assert healthy(at)
    assert selection(at).model == "dslpt-68"
    assert widgets(at)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dslpt-68", "ssfa-68-baseline"])
def test_without_spatial_attention_a_sentence_and_a_button(model: str, open_page: Opener) -> None:
    at = open_page("self_attention", model=model)
    assert healthy(at)
    assert "no self-attention between the places" in words(at)
    at.button(key="wb_fit_self_attention").click().run()
    assert healthy(at)
    assert selection(at).model == "ssfa-68"
    assert any("attention" in name for name in widgets(at))


@pytest.mark.slow
def test_either_model_brings_its_counterpart_and_the_prior_comes_first(open_page: Opener) -> None:
    assert healthy(open_page("self_attention", model="ssfa-68-free"))
    cards = readings.cards()
    for name in ("ssfa-68", "ssfa-68-free"):
        both = self_attention.side_by_side(cards[name], list(cards.values()))
        assert [card.name for card in both] == ["ssfa-68", "ssfa-68-free"]
    alone = [card for card in cards.values() if card.name != "ssfa-68-free"]
    assert [card.name for card in self_attention.side_by_side(cards["ssfa-68"], alone)] == ["ssfa-68"]


def test_start_opens_on_a_model_without_relations(open_page: Opener) -> None:
    at = open_page("start", model="ssfa-68-baseline")
    assert healthy(at)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "model"), [("inside", "ssfa-68"), ("self_attention", "ssfa-68")])
def test_everything_that_can_be_saved_can_be_made(
    page: str, model: str, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, bytes | str] = {}

    def collect(*items: explorer.Item, key: str) -> None:
        made.update({name: make() for _, name, _, make in items})

    monkeypatch.setattr(explorer, "save_menu", collect)
    assert healthy(open_page(page, model=model, landmark="30"))
    assert any(name.endswith("-explorer.html") for name in made)
    assert all(made.values())
