"""The shelf: every checkpoint is the file, the network and the answer that its card and this repository tell of."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.models.zoo import count_multiply_accumulates, count_parameters, file_hash
from workbench.paths import share
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


def test_a_card_says_what_its_recipe_says(card) -> None:
    recipe = get_recipe(card.recipe)
    assert card.licence == recipe.licence
    assert set(recipe.notes) <= set(card.notes)
    for folder, name in (("w300_68", "300-W"), ("helen29", "HELEN"), ("mtfl5", "MTFL"), ("pseudo98", "PFLD")):
        assert (name in card.licence) == (folder in f"{card.data} {recipe.labels}"), name


@pytest.mark.parametrize("sample", ["frontal-a", "astronaut"])
def test_a_checkpoint_finds_the_landmarks_it_has_always_found(card, sample) -> None:
    """Half a pixel of the crop is enough to notice another scale, mean or order of the colours."""
    reading = wb.read(wb.load_model(card.name, device="cpu"), wb.sample_face(sample), taps=())
    found = reading.points()[list(POINTS[card.landmarks])]
    np.testing.assert_allclose(found, GOLDEN[card.name][sample], atol=0.004, rtol=0)
