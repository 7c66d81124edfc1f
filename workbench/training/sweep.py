"""An ablation trained from its first trial to its last: it stops and goes on, and ends in the paper's table."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import CheckpointError, DataError, SettingsError, UnknownNameError, unknown
from workbench.evaluation.papers import METRICS, printed
from workbench.files import replacing
from workbench.training.ablations import Ablation, Trial, get_ablation
from workbench.training.recipe import Recipe
from workbench.training.recipes import get_recipe

RESULT = "result.json"
_MEASURED = {"NRMSE_x100": "NME_inter_ocular_%"}
"""A paper's metric -> what is measured in its place: what AODN prints as NRMSE has the size of the NME, not of its
Eq. 15."""


@dataclass(frozen=True)
class Row:
    """One row of an ablation's table.

    Attributes:
        name: as in the paper.
        ours: one value a seed, in the unit of the paper's column; empty where nothing was trained.
        paper: the printed value.
        parameters: of the trained model.
        note: why there is no value of ours.
    """

    name: str
    ours: tuple[float, ...]
    paper: float
    parameters: int = 0
    note: str = ""

    @property
    def mean(self) -> float:
        """Of the seeds; NaN without one."""
        return sum(self.ours) / len(self.ours) if self.ours else math.nan

    @property
    def deviation(self) -> float:
        """Of the seeds, with one degree of freedom less; NaN below two."""
        if len(self.ours) < 2:
            return math.nan
        return math.sqrt(sum((v - self.mean) ** 2 for v in self.ours) / (len(self.ours) - 1))


@dataclass(frozen=True)
class Sweep:
    """What an ablation has found.

    Attributes:
        ablation: which.
        recipe: that was changed.
        data: set, part and number of faces that our column was measured on, in words.
        rows: as far as they are done, in the paper's order, then what cannot be trained here.
        seeds: that every trial was trained with.
        epochs: of every phase, where they are not the recipe's.
    """

    ablation: Ablation
    recipe: str
    data: str
    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    epochs: int | None = None

    def table(self) -> list[dict[str, Any]]:
        """Rows with "row", the column of ours, "deviation", the paper's, "parameters" and "note"."""
        own, paper = _MEASURED.get(self.ablation.metric, self.ablation.metric), _source(self.ablation)
        return [
            {
                "row": row.name,
                f"{metric_words(own)}, here": round(row.mean, 3) if row.ours else None,
                "deviation over seeds": round(row.deviation, 3) if len(row.ours) > 1 else None,
                f"{metric_words(self.ablation.metric)}, {paper}": row.paper,
                "parameters": row.parameters or None,
                "note": row.note or None,
            }
            for row in self.rows
        ]

    def caption(self) -> str:
        """What stands in the two columns, and that they cannot be compared across."""
        a = self.ablation
        seeds = f"{len(self.seeds)} seeds, their mean" if len(self.seeds) > 1 else f"seed {self.seeds[0]}"
        epochs = "" if self.epochs is None else f", {self.epochs} epochs a phase instead of its own"
        return (
            f"{a.title} ({a.system}, {a.table}). Here: {self.recipe}{epochs}, {seeds}, on {self.data}. The paper: "
            f"{a.dataset} {a.subset}, with its own network and training. Differences within a column can be compared, "
            "the columns cannot."
        )


def metric_words(metric: str) -> str:
    """ "NME_inter_ocular_%" -> "NME inter-ocular %"."""
    known = {"NME_inter_ocular_%": "NME inter-ocular %", "NME_inter_pupil_%": "NME inter-pupil %"}
    return known.get(metric, metric.replace("_", " "))


def _source(ablation: Ablation) -> str:
    return f"{ablation.system} {ablation.table}"


def sweep(
    name: str | Ablation,
    data: str | Path,
    out: str | Path,
    *,
    recipe: str | Recipe | None = None,
    epochs: int | None = None,
    seeds: Sequence[int] = (),
    only: Sequence[str] = (),
    told: Callable[[str], None] = lambda _: None,
    **training: Any,
) -> Sweep:
    """Train every trial of an ablation and measure it; what is done already is not done again, and a trial that the
    recipe's model cannot be built for has a note in the table instead.

    Args:
        name: an ablation or its name.
        data: the folder with the recipe's data sets.
        out: a folder for one folder a trial and seed; an interrupted training goes on in it.
        recipe: to change instead of the ablation's own, of the same system.
        epochs: of every phase, instead of the recipe's.
        seeds: the recipe's own by default.
        only: folders' names of some trials.
        told: hears a line before each training.
        training: ``accelerator``, ``devices`` (one, 1 by default), ``logger`` and ``progress``, as
            :func:`workbench.training.train` takes them.

    Raises:
        UnknownNameError: no such ablation, recipe or trial.
        SettingsError: a recipe of another system, a folder with trials of other settings, or several processes.
        DataError: as for ``train`` and ``evaluate``.
    """
    ablation = get_ablation(name) if isinstance(name, str) else name
    base = get_recipe(recipe or ablation.recipe) if not isinstance(recipe, Recipe) else recipe
    if base.config.system != ablation.system.lower():
        raise SettingsError(
            f"{ablation.name} changes {ablation.system}, and {base.name} trains {base.config.system.upper()}; choose "
            f"another recipe than {base.name}."
        )
    known = {trial.name: trial for trial in ablation.trials}
    for wanted in only:
        if wanted not in known:
            raise unknown("trial", wanted, known)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise SettingsError(
            "A sweep trains one trial after the other in one process; give several machines some trials each, with "
            "--only, and one folder."
        )
    chosen = [trial for trial in ablation.trials if not only or trial.name in only]
    seeds = tuple(seeds) or (base.seed,)
    jobs = [(trial, seed) for trial in chosen if not _misfit(ablation, trial, base) for seed in seeds]
    for number, (trial, seed) in enumerate(jobs, 1):
        told(f"{number} of {len(jobs)}: {trial.name}, seed {seed}")
        _run(ablation, trial, base, Path(data), Path(out), seed, epochs, training)
    return gathered(ablation, out, base, seeds=seeds, epochs=epochs)


def _misfit(ablation: Ablation, trial: Trial, base: Recipe) -> str:
    """Why the recipe's model cannot be built as a trial changes it, or ""."""
    from workbench.evaluation.speed import spread_shape
    from workbench.models.systems import build

    config = ablation.recipe_of(trial, base).config
    try:
        build(config, spread_shape(config.landmarks))
    except (CheckpointError, SettingsError) as error:
        return f"not with {base.name}: {error}"
    return ""


def _place(out: str | Path, trial: Trial, seed: int) -> Path:
    return Path(out) / f"{trial.name}-{seed}"


def _asked(ablation: Ablation, recipe: Recipe, epochs: int | None) -> dict[str, Any]:
    """What a trial's result depends on, as JSON has it."""
    return json.loads(json.dumps({"ablation": ablation.name, "epochs": epochs, "recipe": asdict(recipe)}, default=str))


def _run(
    ablation: Ablation,
    trial: Trial,
    base: Recipe,
    data: Path,
    out: Path,
    seed: int,
    epochs: int | None,
    training: dict[str, Any],
) -> None:
    from workbench.evaluation import evaluate
    from workbench.models.zoo import load_model
    from workbench.training.folders import set_folder
    from workbench.training.run import train

    recipe = ablation.recipe_of(trial, base, seed)
    recipe = replace(recipe, name=f"{base.name}-{trial.name}")
    place, asked = _place(out, trial, seed), _asked(ablation, recipe, epochs)
    earlier = _read(place / RESULT) or _read(place / "asked.json")
    if earlier and earlier.get("asked") != asked:
        raise SettingsError(f"{place} holds a trial of other settings; choose another folder, or take it away.")
    if (place / RESULT).is_file():
        return
    place.mkdir(parents=True, exist_ok=True)
    _write(place / "asked.json", {"asked": asked})
    whole = any(read and not read.startswith("stage ") for _, read in trial.rows)
    path = train(recipe, data, place, epochs=epochs, resume=True, whole=whole, **{"devices": 1, **training})
    model = load_model(path, device="cpu")
    by = next((name for name, metric in METRICS.items() if metric == ablation.metric), "inter_ocular")
    folder = set_folder(data, recipe.test)
    run = evaluate(model, folder, labels=recipe.labels, normaliser=by, progress=False)
    card = model.card.metrics if model.card else ()
    values = {row: _value(run, card, read) for row, read in trial.rows}
    size = sum(p.numel() for p in model.parameters())
    words = f"{len(run)} faces of {run.meta['data']} {run.part()}" + (f" ({recipe.labels})" if recipe.labels else "")
    _write(place / RESULT, {"asked": asked, "values": values, "parameters": size, "data": words})


def _value(run: Any, card: Sequence[Any], read: str) -> float:
    if read.startswith("stage "):
        number = int(read.removeprefix("stage "))
        return 100 * float(run.arrays["stages"][:, number - 1, -1].mean())
    if read:
        found = [float(row["value"]) * (1 if row["unit"] else 100) for row in card if read in row["metric"]]
        if not found:
            raise DataError(f"The data does not tell '{read}', so this ablation cannot be measured on it.")
        return sum(found) / len(found)
    return 100 * float(run.nme.mean())


def gathered(
    ablation: Ablation, out: str | Path, base: Recipe, *, seeds: Sequence[int], epochs: int | None = None
) -> Sweep:
    """The table of what is done below ``out``."""
    rows, data = [], ""
    for trial in ablation.trials:
        done = [found for seed in seeds if (found := _read(_place(out, trial, seed) / RESULT))]
        data = done[0]["data"] if done else data
        for row, _ in trial.rows:
            values = tuple(float(found["values"][row]) for found in done)
            size = int(done[0]["parameters"]) if done else 0
            note = "" if done else _misfit(ablation, trial, base) or "not trained yet"
            rows.append(Row(row, values, _printed(ablation, row), size, note))
    rows += [Row(row, (), _printed(ablation, row), note=why) for row, why in ablation.not_here]
    return Sweep(ablation, base.name, data or "nothing yet", tuple(rows), tuple(seeds), epochs)


def _printed(ablation: Ablation, row: str) -> float:
    a = ablation
    key = (a.system, a.table, row, a.dataset, a.subset, a.metric)
    for one in printed():
        if (one.system, one.table, one.variant, one.dataset, one.subset, one.metric) == key:
            return one.value
    raise UnknownNameError(f"The papers' table has no row {', '.join(key)}.")


def keep(found: Sweep, out: str | Path) -> Iterator[Path]:
    """Write the table as ``table.csv``, ``table.md`` and ``table.json`` into a folder."""
    from workbench.explain import to_csv, to_markdown

    rows, folder = found.table(), Path(out)
    texts = {
        "table.csv": to_csv(rows),
        "table.md": f"{to_markdown(rows)}\n\n{found.caption()}\n",
        "table.json": json.dumps({"caption": found.caption(), "rows": rows}, indent=1, ensure_ascii=False) + "\n",
    }
    for name, text in texts.items():
        with replacing(folder / name) as aside:
            aside.write_text(text, encoding="utf-8")
        yield folder / name


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SettingsError(f"{path} is damaged; take the folder away, and its trial is trained anew.") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path} is damaged; take the folder away, and its trial is trained anew.")
    return found


def _write(path: Path, value: dict[str, Any]) -> None:
    with replacing(path) as aside:
        aside.write_text(json.dumps(value, indent=1), encoding="utf-8")
