"""The systems there are, and their presets by name."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from workbench.errors import unknown
from workbench.models import aodn, atpn, chs, dslpt, scc, ssfa, tufa
from workbench.models.base import FaceModel, System

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (dslpt.DSLPT, dslpt.SLPT, scc.SYSTEM, ssfa.SYSTEM, aodn.SYSTEM, atpn.SYSTEM, chs.SYSTEM, tufa.SYSTEM)
}
PRESETS: dict[str, Any] = {name: config for system in SYSTEMS.values() for name, config in system.presets.items()}


def get_system(name: str) -> System:
    """A system by its short name. Raises UnknownNameError."""
    if name not in SYSTEMS:
        raise unknown("system", name, SYSTEMS)
    return SYSTEMS[name]


def preset(name: str) -> Any:
    """A configuration by name. Raises UnknownNameError."""
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]


def build(config: Any, mean_shape: Tensor) -> FaceModel:
    """An untrained model.

    Args:
        config: a configuration or a preset's name.
        mean_shape: (N, 2) in [0, 1] of the crop.
    """
    config = preset(config) if isinstance(config, str) else config
    return get_system(config.system).model(config, mean_shape)
