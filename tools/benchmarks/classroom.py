"""A class on one server: students who press *Run All* at once, each in a kernel of their own with one thread.

    python -m tools.benchmarks.classroom [STUDENTS] [LESSON]      # 10 students, lesson 3

Printed: how long one student waits alone and how long the class does, median and last; the memory of a kernel at its
height, what all of them take together (shared pages counted once for each), and the errors of cells.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

LESSONS = Path(__file__).parents[2] / "notebooks"
GIGA = 1024**3


def height(pid: int, kind: str = "VmHWM") -> int:
    """Bytes of a process, by default the most that were resident; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{kind}:")), 0)


def student(lesson: Path, gate: threading.Barrier) -> tuple[float, int, str]:
    """Seconds from *Run All* to the last answer, the kernel's memory at its height, and what went wrong."""
    notebook = nbformat.read(lesson, as_version=4)
    client = NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(LESSONS)}})
    said = ""
    with client.setup_kernel(env={**os.environ, "OMP_NUM_THREADS": "1"}):
        gate.wait()
        start = time.perf_counter()
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        except CellExecutionError as error:
            said = str(error).splitlines()[-1]
        seconds = time.perf_counter() - start
        pid = getattr(client.km.provisioner, "pid", None) or 0
        return seconds, height(pid), said


def run(lesson: Path, count: int) -> list[tuple[float, int, str]]:
    gate = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: student(lesson, gate), range(count)))


def main(count: int, number: int) -> None:
    lesson = next(LESSONS.glob(f"{number:02d}_*.ipynb"))
    ((alone, memory, said),) = run(lesson, 1)
    found = run(lesson, count)
    waits, heights = sorted(s for s, _, _ in found), [m for _, m, _ in found]
    errors = [e for _, _, e in found if e] + ([said] if said else [])
    sys.stdout.write(
        f"{lesson.stem}, {os.cpu_count()} cores, a thread a kernel\n"
        f"  alone     {alone:6.1f} s   {memory / GIGA:.2f} GB\n"
        f"  {count:>3} at once {statistics.median(waits):5.1f} s, the last {waits[-1]:.1f} s   "
        f"{max(heights) / GIGA:.2f} GB each at most, {sum(heights) / GIGA:.1f} GB together\n"
        f"  errors    {len(errors)}{': ' + errors[0] if errors else ''}\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
