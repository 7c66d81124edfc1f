"""Every system of the register can be trained, by exactly one class, and has a recipe; nothing names its own list."""

from __future__ import annotations

import inspect

import pytest

from workbench.errors import UnknownNameError
from workbench.models.importing import IMPORTABLE
from workbench.models.systems import PRESETS, SYSTEMS
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import RECIPES
from workbench.training.run import training_of


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_one_training_that_is_made_for_its_model(name: str) -> None:
    system, training = SYSTEMS[name], training_of(name)
    assert system.name == name and system.title and system.paper and system.shows
    assert issubclass(training, AlignmentTraining) and not inspect.isabstract(training)
    assert f"{training.__module__}:{training.__name__}" == system.training
    model = inspect.get_annotations(training, eval_str=True)["model"]
    assert issubclass(system.model, model)
    assert "model_loss" in vars(training)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_a_recipe_for_the_shelf(name: str) -> None:
    assert any(PRESETS[recipe.preset].system == name and "compact" in recipe.preset for recipe in RECIPES.values())


def test_every_recipe_builds_what_there_is() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        config = PRESETS[recipe.preset]
        assert config.scheme == recipe.scheme
        assert len(recipe.stage_weights) == getattr(config, "stages", len(recipe.stage_weights))


def test_what_can_be_imported_follows_from_the_register() -> None:
    assert set(IMPORTABLE) == {name for name, system in SYSTEMS.items() if system.published}


def test_no_system_has_no_training() -> None:
    with pytest.raises(UnknownNameError, match="choose one of dslpt"):
        training_of("nothing")
