"""The ablations that are the papers' arguments, each as trainings of one recipe with single changes.

A row stands in ``workbench/evaluation/papers.csv`` under the system, the table and the name that it has here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from workbench.data.mixed import get_source
from workbench.errors import unknown
from workbench.training.recipe import Recipe
from workbench.training.recipes import get_recipe

Change = Callable[[Recipe], Recipe]


def unchanged(recipe: Recipe) -> Recipe:
    """The recipe itself."""
    return recipe


@dataclass(frozen=True)
class Trial:
    """One training of an ablation.

    Attributes:
        name: of its folder.
        rows: (row of the paper's table, what of the run stands in it): "" for the last answer, "stage 2" for the
            answer after that stage, from 1, or the name of a metric on the card.
        config: changes of the recipe's configuration.
        recipe: what else is another in the recipe.
    """

    name: str
    rows: tuple[tuple[str, str], ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    recipe: Change = unchanged


@dataclass(frozen=True)
class Ablation:
    """One table of a paper.

    Attributes:
        name: for the command line.
        title: what is asked.
        system, table: of the paper, as ``papers.csv`` has them.
        recipe: that is changed, unless another one is asked for.
        metric: of the paper's column, as ``papers.csv`` has it.
        dataset, subset: the paper's.
        trials: in the order of the table.
        not_here: rows of the table that cannot be trained here, and why.
    """

    name: str
    title: str
    system: str
    table: str
    recipe: str
    metric: str
    dataset: str
    trials: tuple[Trial, ...]
    subset: str = "full"
    not_here: tuple[tuple[str, str], ...] = ()

    def recipe_of(self, trial: Trial, base: Recipe | None = None, seed: int | None = None) -> Recipe:
        """The recipe that a trial trains, by default from the ablation's own one."""
        base = base or get_recipe(self.recipe)
        changed = trial.recipe(base)
        said = f"A trial of the ablation {self.name} ({self.system}, {self.table}): {trial.name}."
        return replace(
            changed,
            changes=tuple({**dict(changed.changes), **trial.config}.items()),
            seed=base.seed if seed is None else seed,
            notes=(*base.notes, said),
        )


def _plain(row: str, config: Mapping[str, Any], recipe: Change = unchanged, reads: str = "") -> Trial:
    """A trial with one row, named after it."""
    return Trial(_folder(row), ((row, reads),), config, recipe)


def _folder(row: str) -> str:
    kept = "".join(c if c.isalnum() or c == "." else " " for c in row.lower())
    return "-".join(kept.split()).strip(".")


def _frozen(*parts: str) -> Change:
    """Parts that no phase trains."""
    return lambda r: replace(r, phases=tuple(replace(p, frozen=(*p.frozen, *parts)) for p in r.phases))


def _all_at_once(recipe: Recipe) -> Recipe:
    """Without the phases that train the cascades alone, where there are none."""
    return replace(recipe, phases=tuple(p for p in recipe.phases if not p.frozen))


def _tasks(*names: str) -> Change:
    """These phases alone."""
    return lambda r: replace(r, phases=tuple(p for p in r.phases if p.task in names))


def _sets(count: int) -> Change:
    """The recipe's first sets, and the conventions that they have labels of."""

    def change(recipe: Recipe) -> Recipe:
        sets = recipe.sets[:count]
        there = {name for folder in sets for name, *_ in get_source(folder).labels}
        kept = tuple(name for name in recipe.config.conventions if name in there)
        return replace(recipe, sets=sets, changes=(*recipe.changes, ("conventions", kept)), data="")

    return change


_STAGE_WEIGHTS = {1: (1.0,), 2: (0.4, 0.6), 3: (0.2, 0.3, 0.5), 4: (0.1, 0.2, 0.3, 0.4)}
"""For three as published, for others ours."""


def _stages(prefix: str) -> tuple[Trial, ...]:
    return tuple(
        Trial(
            f"{count}-stages",
            tuple((f"{prefix}{count} stages, read at stage {k}", f"stage {k}") for k in range(1, count + 1)),
            {"stages": count},
            partial(replace, stage_weights=_STAGE_WEIGHTS[count]),
        )
        for count in (1, 2, 3, 4)
    )


_ATTENTION = tuple(
    _plain(row, {"attention": kind})
    for row, kind in (("no MSA no MCA", "none"), ("MSA", "msa"), ("MCA", "mca"), ("MSA+MCA", "both"))
)


def _layers(prefix: str) -> tuple[Trial, ...]:
    return tuple(_plain(f"{prefix}{count} layers", {"layers": count}) for count in (2, 4, 6, 12))


def _limits(low: float, high: float) -> dict[str, Any]:
    return {"size_limits": (low, high)}


_LIKELIHOODS = (
    *(
        _plain(f"{name} .{low}/.{high}", {"likelihood": name.lower(), **_limits(low / 10, high / 10)})
        for name in ("Gaussian", "Laplace")
        for low, high in ((5, 7), (5, 5), (7, 7))
    ),
    *(
        _plain(f"L{norm} .5/.5", {"likelihood": None, "size_rule": "halve"}, partial(replace, point_norm=norm))
        for norm in (1, 2)
    ),
)
_DSLPT = dict[str, Any](system="DSLPT", recipe="dslpt-68", metric="NME_inter_ocular_%", dataset="WFLW")
_SLPT = {**_DSLPT, "system": "SLPT", "recipe": "slpt-68"}
_SSFA = {**_DSLPT, "system": "SSFA", "recipe": "ssfa-68"}
_TUFA = {**_DSLPT, "system": "TUFA", "recipe": "tufa"}
_CHS = {**_DSLPT, "system": "CHS", "recipe": "chs-68", "metric": "NME_inter_pupil_%", "dataset": "300W"}
_AODN = {**_DSLPT, "system": "AODN", "recipe": "aodn-68", "metric": "NRMSE_x100", "dataset": "300W"}
_ATPN = {**_DSLPT, "system": "ATPN", "recipe": "atpn-68"}

ABLATIONS: dict[str, Ablation] = {
    one.name: one
    for one in (
        Ablation(
            **_SSFA, name="ssfa-place", table="Table 1", title="Where the attention stands",
            trials=tuple(
                _plain(row, {"insertion": kind})
                for row, kind in (
                    ("no attention", "none"), ("location A", "a"), ("location B", "b"), ("A and B", "ab"),
                )
            ),
        ),
        Ablation(
            **_SSFA, name="ssfa-prior", table="Table 3", title="Weight and reach of the prior",
            trials=tuple(
                _plain(
                    f"beta={beta} sigma={sigma} R={radius}",
                    {"beta": beta, "prior_sigma": float(sigma), "prior_radius": float(radius)},
                )
                for beta in (0.001, 0.01, 0.1)
                for sigma in (1, 2, 3)
                for radius in (3, 5)
            ),
        ),
        Ablation(**_SLPT, name="slpt-stages", table="Table 4.5", title="Number of stages", trials=_stages("")),
        Ablation(**_SLPT, name="slpt-attention", table="Table 4.6", title="MSA and MCA", trials=_ATTENTION),
        Ablation(
            **_SLPT, name="slpt-encoding", table="Table 4.7", title="Structure encoding",
            trials=(
                _plain("no encoding", {"encoding": "none"}), _plain("structure encoding", {"encoding": "structure"}),
            ),
        ),
        Ablation(
            **_SLPT, name="slpt-patch", table="Table 4.8", title="Samples a patch has on a side",
            trials=tuple(_plain(f"K={size}", {"patch": size}) for size in (5, 7, 9)),
        ),
        Ablation(
            **_SLPT, name="slpt-layers", table="Table 4.9", title="Number of relation layers", trials=_layers(""),
        ),
        Ablation(
            **_DSLPT, name="dslpt-stages", table="Table 5.13", title="Number of stages", trials=_stages("W18C-lite "),
        ),
        Ablation(**_DSLPT, name="dslpt-attention", table="Table 5.14", title="MSA and MCA", trials=_ATTENTION),
        Ablation(
            **_DSLPT, name="dslpt-encoding", table="Table 5.15", title="Kind of encoding",
            trials=tuple(
                _plain(row, {"encoding": kind})
                for row, kind in (
                    ("no encoding", "none"), ("1D positional", "sine"), ("structure encoding", "structure"),
                )
            ),
        ),
        Ablation(
            **_DSLPT, name="dslpt-layers", table="Table 5.16", title="Number of relation layers",
            trials=_layers("W18C "),
        ),
        Ablation(
            **_DSLPT, name="dslpt-likelihood", table="Table 5.17", title="Likelihood and limits of the patches",
            trials=_LIKELIHOODS,
        ),
        Ablation(
            **_DSLPT, name="dslpt-limits", table="Table 5.18", title="Limits of the patches' size",
            trials=tuple(
                _plain(f"L_down=0.{low} L_up=0.{high}", {"likelihood": "gaussian", **_limits(low / 10, high / 10)})
                for low in (4, 5)
                for high in (5, 6, 7, 8, 9)
            ),
        ),
        Ablation(
            **{**_TUFA, "dataset": "300W"}, name="tufa-sets", table="Table 6.12",
            title="Number of sets that are learned together",
            trials=tuple(
                Trial(f"{count}-sets", ((f"trained on {row}", ""),), {}, _sets(count))
                for count, row in enumerate(("300W", "300W+COFW", "300W+COFW+WFLW"), 1)
            ),
            not_here=(("trained on all four", "the recipe has three sets"),),
        ),
        Ablation(
            **_TUFA, name="tufa-alignment", table="Table 6.13", title="Semantic alignment embeddings",
            trials=(
                Trial("without", (("without alignment embedding", ""),), recipe=_frozen("alignment")),
                Trial("with", (("with alignment embedding", ""),)),
            ),
        ),
        Ablation(
            **_TUFA, name="tufa-masking", table="Table 6.14", title="Anchors left of a shape in training",
            trials=tuple(
                _plain(f"single, masking {share}%", {"anchors": max(1, round(98 * (100 - share) / 100))})
                for share in (0, 25, 50, 75, 80, 85, 90)
            ),
        ),
        Ablation(
            **_CHS, name="chs-parts", table="Table 6", title="Selective features, cascades, weights of the tasks",
            trials=tuple(
                _plain(
                    row,
                    {
                        "selection": "guided" if "SF" in row else "none",
                        "cascades": next((int(part[0]) for part in row.split("+") if part.endswith("CCR")), 0),
                        "adaptive": "adaptive" in row,
                        **({} if "fixed" in row else {"alpha": (1.0, 1.0, 1.0)}),
                    },
                    unchanged if "CCR" in row else _all_at_once,
                )
                for row in (
                    "4HG", "4HG+SF", "4HG+4CCR", "4HG+4CCR+adaptive", "4HG+4CCR+fixed", "4HG+4CCR+adaptive+fixed",
                    "4HG+SF+4CCR+adaptive", "4HG+SF+4CCR+fixed", "4HG+SF+2CCR+adaptive+fixed",
                    "4HG+SF+4CCR+adaptive+fixed", "4HG+SF+6CCR+adaptive+fixed",
                )
            ),
        ),
        Ablation(
            **_CHS, name="chs-selection", table="Table 7", title="What selects the features of a cascade",
            trials=tuple(
                _plain(row, {"selection": kind, "cascades": 4})
                for row, kind in (
                    ("no attention", "none"), ("CBAM single-level", "cbam"), ("SK single-level", "sk"),
                    ("SF multi-level no heatmap", "unguided"), ("SF heatmap-guided", "guided"),
                )
            ),
            not_here=tuple(
                (row, "the gates of SDFL are not built into CHS here")
                for row in ("SDFL multi-level", "SDFL heatmap-guided")
            ),
        ),
        Ablation(
            **_CHS, name="chs-connection", table="Table 8", title="Which gradients pass between the tasks",
            trials=tuple(
                Trial(
                    kind,
                    ((f"{row} @heatmap", "stage 1"), (f"{row} @4th CCR", "")),
                    {"connection": kind, "cascades": 4},
                )
                for row, kind in (("task-wise", "task"), ("full connection", "full"), ("CCR connection", "ccr"))
            ),
        ),
        Ablation(
            **_AODN, name="aodn-modules", table="Table 5", title="Modules, reduction and merging",
            subset="challenging",
            trials=(
                _plain("BRNet", {"geometry_aware": False, "attentive": False, "low_rank": False}),
                _plain("GM+LM", {"attentive": False}),
                _plain("GM+AM", {"low_rank": False}),
                _plain("AM+LM", {"geometry_aware": False}),
                _plain("all r=8 without L1", {"eta_spatial": 0.0, "eta_plain": 0.0}),
                *(_plain(f"all r={r}", {"reduction": r}) for r in (8, 16, 32, 64)),
                *(_plain(f"all r={r} addition", {"reduction": r, "merge": "sum"}) for r in (8, 16)),
            ),
        ),
        Ablation(
            **_ATPN, name="atpn-modules", table="Table 3.7", title="Modules of the landmark branch",
            trials=tuple(
                _plain(
                    row, {"low_level": k > 0, "multiview": k > 1, "coordconv": k > 2, "branches": ()},
                    _tasks("heatmaps", "model"),
                )
                for k, row in enumerate(("baseline", "+low-level", "+multiview", "+coordconv"))
            ),
        ),
        Ablation(
            **{**_ATPN, "metric": "MAE_deg", "dataset": "300W-LP"}, name="atpn-pose", table="Table 3.8",
            title="The heatmap, for the pose", subset="common",
            trials=(
                _plain("feature sharing", {"floor": 1.0}, reads="mean absolute error"),
                _plain("feature sharing + heatmap", {}, reads="mean absolute error"),
            ),
            not_here=(("baseline", "a network of its own for the pose is not built here"),),
        ),
        Ablation(
            **{**_ATPN, "metric": "AP_%", "dataset": "WIDER Face"}, name="atpn-tracking", table="Table 3.9",
            title="The heatmap, for the tracking", subset="val",
            trials=(
                _plain("feature sharing", {"floor": 1.0}, reads="average precision"),
                _plain("sharing + heatmap", {}, reads="average precision"),
            ),
            not_here=(("baseline", "a network of its own for the tracking is not built here"),),
        ),
    )
}  # fmt: skip


def get_ablation(name: str) -> Ablation:
    """An ablation by name. Raises UnknownNameError, naming the ones there are."""
    if name not in ABLATIONS:
        raise unknown("ablation", name, ABLATIONS)
    return ABLATIONS[name]
