"""From a recipe to packed faces."""

from __future__ import annotations

from pathlib import Path

from workbench.data.pack import Packed, join, pack
from workbench.data.readers import open_dataset
from workbench.errors import DataError
from workbench.landmarks import get_scheme
from workbench.training.recipes import Recipe


def set_folder(data: Path, name: str) -> Path:
    """The folder of one data set: ``data/name``, or ``data`` itself when it already is that set."""
    if (data / name).is_dir():
        return data / name
    if data.name == name and data.is_dir():
        return data
    raise DataError(f"The recipe needs the data set '{name}', but there is no folder {data / name}.")


def load_packed(recipe: Recipe, data: Path, names: tuple[str, ...], split: str, cache: Path | None) -> Packed:
    """Read and pack the given sets of a recipe. Raises DataError."""
    scheme = get_scheme(recipe.scheme)
    parts = []
    for name in names:
        dataset = open_dataset(set_folder(data, name), scheme=scheme, split=split, labels=recipe.labels)
        target = cache and cache / f"{name}-{split}-{recipe.labels or 'own'}-{recipe.pack}.safetensors"
        parts.append(pack(dataset, size=recipe.pack, cache=target))
    return join(parts)
