"""Several processes measure what one does: the same numbers, and no face twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.synthetic import write_synthetic
from workbench.evaluation import Run, evaluate, study
from workbench.evaluation.processes import Processes
from workbench.evaluation.study import Study
from workbench.models import load_model

ROOT = Path(__file__).parents[2]
FACES = 7  # an odd number: padding would count one twice


def test_shares_hold_every_face_once() -> None:
    for world in (1, 2, 3, 8):
        shares = [i for rank in range(world) for i in Processes(rank, world).share(FACES)]
        assert sorted(shares) == list(range(FACES))


def torchrun(folder: Path, *command: str) -> str:
    """Run a command of the shell in two processes that share the CPU."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "workbench"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([*start, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_two_processes_evaluate_as_one(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "drawn", train=1, test=FACES)
    (folder / "crops" / "drawn_0004.png").write_bytes(b"no picture")
    told = torchrun(tmp_path, "evaluate", "--data", "drawn", "--model", "dslpt-68", "--out", "two.safetensors")
    assert told.count("NME") == 1 and f"({FACES - 1} faces, 1 left out)" in told
    one, two = (
        evaluate(load_model("dslpt-68", device="cpu"), folder, progress=False),
        Run.load(tmp_path / "two.safetensors"),
    )
    assert two.files == one.files and len(set(two.files)) == FACES - 1
    assert set(two.arrays) == set(one.arrays) and two.meta["processes"] == 2
    for name, values in one.arrays.items():
        np.testing.assert_allclose(two.arrays[name], values, rtol=1e-6, atol=1e-6, err_msg=name)
    assert len(two.left_out) == 1 and "drawn_0004.png" in two.left_out[0]


@pytest.mark.slow
def test_two_processes_study_as_one(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "drawn", train=1, test=FACES)
    told = torchrun(tmp_path, "study", "drawn", "--model", "dslpt-68", "--out", "two.safetensors")
    assert told.count("NME") == 1
    one, two = (
        study(load_model("dslpt-68", device="cpu"), folder, progress=False),
        Study.load(tmp_path / "two.safetensors"),
    )
    assert two.meta == one.meta | {"uniform": two.meta["uniform"]}
    assert two.meta["uniform"] == pytest.approx(one.meta["uniform"], abs=1e-6)
    assert set(two.tensors) == set(one.tensors)
    for name, entry in one.tensors.items():
        scale = max(1.0, float(np.nanmax(np.abs(entry.numpy()))))
        np.testing.assert_allclose(
            two.tensors[name].numpy() / scale, entry.numpy() / scale, rtol=0, atol=1e-6, err_msg=name
        )
    assert sorted(p.name for p in tmp_path.glob("*.safetensors")) == ["two.safetensors"]  # no part is left behind
