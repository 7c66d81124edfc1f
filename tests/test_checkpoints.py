"""The shelf: every checkpoint is the file, the network and the answer that its card and this repository tell of."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tools.refresh_cards import refresh
from workbench.errors import CheckpointError
from workbench.models import ModelCard, offers
from workbench.models.zoo import count_multiply_accumulates, count_parameters, describe, file_hash
from workbench.paths import share
from workbench.tracing import taps
from workbench.training import get_recipe

CARDS = {card.name: card for card in wb.list_models()}
GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))
POINTS = {68: (0, 8, 30, 36, 45, 57), 98: (0, 16, 54, 60, 72, 85)}  # ear, chin, nose tip, eye corners, lower lip


@pytest.fixture(params=CARDS)
def card(request):
    return CARDS[request.param]


def test_a_card_tells_of_its_own_weights(card) -> None:
    path = share("checkpoints") / card.weights
    model = wb.load_model(card.name, device="cpu")
    assert card.sha256 == file_hash(path) == model.checkpoint
    assert card.config == json.loads(json.dumps(asdict(model.config)))
    assert card.parameters == count_parameters(model)
    assert card.multiply_accumulates == count_multiply_accumulates(model)
    assert (card.scheme, card.landmarks, card.input_size) == (
        model.config.scheme,
        model.config.landmarks,
        model.input_size,
    )


def test_a_card_tells_what_its_model_offers(card) -> None:
    """After a change of taps: python -m tools.refresh_cards."""
    model = wb.load_model(card.name, device="cpu")
    assert offers(model) == offers(card) == offers(replace(card, taps={}, parts=()))
    assert card.taps == describe(model).taps and card.parts == describe(model).parts
    assert set(card.taps) == set(taps(model))
    for name, tap in taps(model).items():
        assert ("batch", *card.taps[name]) == tap.axes
    assert not model.training


def test_what_a_page_needs_is_found_on_the_cards() -> None:
    pairs = ("head", "query_landmark", "key_landmark")
    places = ("query_y", "query_x", "key_y", "key_x")
    assert having(axes=[pairs], parts=["rects"]) == {"dslpt-68", "dslpt-68-tied", "dslpt-98", "slpt-68"}
    assert having(axes=[pairs]) == {"dslpt-68", "dslpt-68-tied", "dslpt-98", "slpt-68", "tufa", "tufa-zero"}
    assert having(axes=[pairs[1:]]) == {"scc-68"}
    assert having(axes=[places]) == {"ssfa-68", "ssfa-68-free"}
    assert having(parts=["variance", "rects"]) == {"dslpt-68", "dslpt-68-tied", "dslpt-98"}
    assert having(parts=["pose", "confidence"]) == {"atpn-68"}
    assert having() == set(CARDS)
    assert having(parts=["prompt"]) == {"tufa", "tufa-zero"}


def having(axes=(), parts=()) -> set[str]:
    """The models on whose card every part stands, and a tap of each of the axes."""
    told = {name: offers(card) for name, card in CARDS.items()}
    there = {name: set(map(tuple, offer.taps.values())) for name, offer in told.items()}
    return {name for name in told if set(axes) <= there[name] and set(parts) <= set(told[name].parts)}


def test_a_card_of_an_older_file_without_its_weights_is_one_sentence(card) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        offers(replace(card, taps={}, weights="gone.safetensors"))


def test_the_tool_leaves_a_right_card_as_it_is_and_mends_a_wrong_one(tmp_path) -> None:
    for name in ("ssfa-68.json", "ssfa-68.safetensors"):
        shutil.copy(share("checkpoints") / name, tmp_path)
    path = tmp_path / "ssfa-68.json"
    before = path.read_text(encoding="utf-8")
    assert not refresh(path) and path.read_text(encoding="utf-8") == before
    path.write_text(replace(ModelCard.load(path), taps={}, parameters=1).to_json(), encoding="utf-8")
    assert refresh(path) and path.read_text(encoding="utf-8") == before


def test_a_card_says_what_its_recipe_says(card) -> None:
    recipe = get_recipe(card.recipe)
    assert card.licence == recipe.licence
    assert set(recipe.notes) <= set(card.notes)
    for folder, name in (("w300_68", "300-W"), ("helen29", "HELEN"), ("mtfl5", "MTFL"), ("pseudo98", "PFLD")):
        assert (name in card.licence) == (folder in f"{card.data} {recipe.labels}"), name


BOXES = {"frontal-a": (94.5, 129.7, 284.7, 319.8), "astronaut": (182.4, 89.4, 266.2, 173.1)}
"""So that the detector has no say in it."""


@pytest.mark.parametrize("sample", BOXES)
def test_a_checkpoint_finds_the_landmarks_it_has_always_found(card, sample) -> None:
    """Half a pixel of the crop is enough to notice another scale, mean or order of the colours."""
    reading = wb.read(wb.load_model(card.name, device="cpu"), wb.sample_face(sample).with_box(BOXES[sample]), taps=())
    found = reading.points()[list(POINTS[card.landmarks])]
    np.testing.assert_allclose(found, GOLDEN[card.name][sample], atol=0.004, rtol=0)
