"""The recipes of the papers' models, for those who have the data."""

from __future__ import annotations

from typing import Any

from workbench.training.departures import DEPARTURES
from workbench.training.recipe import Phase, Recipe

_PAPER = dict[str, Any](
    batch=16,
    floor=1e-9,
    pack=256,
    ema=0.0,
    grad_clip=0.0,
    licence="Training photographs and labels: on the terms of the data sets used. Weights: no freer than these.",
)

PAPER = (
    Recipe(
        name="ssfa-98-paper",
        preset="ssfa-98-literal",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=80, lr=2e-3, views="paper", milestones=(40, 55)),),
        **_PAPER,
        notes=DEPARTURES["ssfa-98-paper"],
    ),
    *(
        Recipe(
            name=name,
            preset=preset,
            scheme="wflw98",
            sets=sets,
            test="wflw",
            phases=(Phase(epochs=epochs, lr=lr, views="paper", milestones=milestones),),
            **_PAPER,
            notes=DEPARTURES[name],
        )
        for name, preset, sets, epochs, lr, milestones in (
            ("tufa-98-s16-paper", "tufa-98-s16", ("wflw",), 140, 5e-5, (120, 130)),
            ("tufa-98-s8-paper", "tufa-98-s8", ("wflw",), 140, 1e-4, (120, 130)),
            ("tufa-s16-joint-paper", "tufa-98-s16-joint", ("wflw", "300w", "cofw"), 100, 5e-5, (80, 90)),
            ("tufa-s8-joint-paper", "tufa-98-s8-joint", ("wflw", "300w", "cofw"), 100, 1e-4, (80, 90)),
        )
    ),
    Recipe(
        name="dslpt-68-paper",
        preset="dslpt-68-w18",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=100, lr=5e-4, views="paper", milestones=(80, 90)),),
        **_PAPER,
        notes=DEPARTURES["dslpt-68-paper"],
    ),
    Recipe(
        name="dslpt-98-paper",
        preset="dslpt-98-w18",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=100, lr=5e-4, views="paper", milestones=(80, 90)),),
        **_PAPER,
        notes=DEPARTURES["dslpt-98-paper"],
    ),
    Recipe(
        name="slpt-98-paper",
        preset="slpt-98-lite",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=150, lr=1e-3, views="paper", milestones=(120, 140)),),
        **{**_PAPER, "batch": 32},
        notes=DEPARTURES["slpt-98-paper"],
    ),
    Recipe(
        name="aodn-68-paper",
        preset="aodn-68-resnet18",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=100, lr=5e-4, views="paper", milestones=(60, 80)),),
        **{**_PAPER, "weight_decay": 0.0},
        notes=DEPARTURES["aodn-68-paper"],
    ),
    Recipe(
        name="scc-98-paper",
        preset="scc-98-sc",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=500, lr=1e-3, views="paper", milestones=(200, 350)),),
        **{**_PAPER, "batch": 64},
        notes=(
            "AdamW instead of the paper's SGD, whose rate falls to a fifth at the same epochs.",
            *DEPARTURES["scc-98-paper"],
        ),
    ),
    Recipe(
        name="chs-98-paper",
        preset="chs-98-4ccr",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=350, lr=5e-4, views="paper", milestones=(200, 300)),),
        **{**_PAPER, "batch": 10},
        notes=(
            "AdamW instead of the paper's SGD, whose rate falls by a quarter at a time.",
            *DEPARTURES["chs-98-paper"],
        ),
    ),
)
