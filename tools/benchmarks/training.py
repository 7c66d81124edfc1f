"""How fast a recipe trains on this machine: images a second of the data path alone, of a bare loop, of the trainer.

    python -m tools.benchmarks.training RECIPE DATA [BATCHES]

"data" makes random views and does nothing with them; "eager" steps the model on one batch of views made before, with
the recipe's loss and a plain AdamW: what the arithmetic costs; "training" is what `workbench train` runs. The data
path is no bottleneck where "data" is several times "eager", and the trainer costs nothing where "training" comes near
to what both, one after the other, allow.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import lightning as L
import torch
from torch.utils.data import DataLoader

from workbench.landmarks import get_scheme
from workbench.models.systems import build, preset
from workbench.training.recipes import get_recipe
from workbench.training.run import training_of


class Clock(L.Callback):
    """The moment at which each batch ends."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self.marks.append(time.perf_counter())


def main(name: str, data: str, batches: int) -> None:
    recipe = get_recipe(name)
    kind = training_of(preset(recipe.preset).system)
    with tempfile.TemporaryDirectory() as folder:
        training, _ = kind.open_data(recipe, Path(data), Path(folder))
        torch.manual_seed(recipe.seed)
        model = build(recipe.preset, kind.mean_face(training))
        kind.fit_model(model, training)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        module = kind(model, get_scheme(recipe.scheme), replace(recipe, precision="32-true"))
        loader = DataLoader(training, batch_size=recipe.batch, shuffle=True, drop_last=True)  # type: ignore[arg-type,var-annotated]
        clock = Clock()
        trainer = L.Trainer(
            max_steps=batches + 1, limit_val_batches=0, logger=False, enable_checkpointing=False, callbacks=[clock],
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        )  # fmt: skip
        trainer.fit(module, loader)
        device = trainer.strategy.root_device
        whole = (clock.marks[-1] - clock.marks[0]) / (len(clock.marks) - 1)

        module.to(device)  # the trainer has brought it back
        generator, rows = torch.Generator(module.device).manual_seed(0), iter(loader)
        start = time.perf_counter()
        for _ in range(batches):
            views = module.view([part.to(module.device) for part in next(rows)], generator)
        views.points.sum().item()  # waits for a GPU
        path = (time.perf_counter() - start) / batches

        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)

        def step() -> float:
            optimiser.zero_grad()
            loss = module.phase_loss(module.model_input(views.images), views)
            loss.backward()
            optimiser.step()
            return loss.item()

        step()
        start = time.perf_counter()
        for _ in range(batches):
            step()
        eager = (time.perf_counter() - start) / batches
    sys.stdout.write(f"{recipe.name}, batches of {recipe.batch}, {module.device}, {torch.get_num_threads()} threads\n")
    for word, seconds in (("data", path), ("eager", eager), ("training", whole)):
        sys.stdout.write(f"  {word:<10} {recipe.batch / seconds:>8.1f} images/s\n")
    sys.stdout.write(f"  training / (data and eager one after the other): {(path + eager) / whole:.2f}\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 12)
