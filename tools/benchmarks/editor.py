"""How soon the Shape editor is answered while a point is dragged: the decoder alone runs, on faces encoded before.

    python -m tools.benchmarks.editor [MODEL] [REPEATS]           # tufa, 30

Printed: what a face costs once, then the median of an answer for one face and for twelve, while a drag goes on and
when it has ended (attention and five other views of the first face with it), from the drawing to the packed payload.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch

from workbench.faces import sample_face, sample_names
from workbench.finding import encode_face, other_views
from workbench.models import load_model
from workbench.shaping import conventions
from workbench.widgets.payload import pack
from workbench.widgets.shape import answers_to, shape_payload, shape_pictures, state_of

FACES = (1, 12)


def median(run: Callable[[], object], repeats: int) -> float:
    """Milliseconds, after two more runs."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[2:])


def main(name: str, repeats: int) -> None:
    model = load_model(name, optimise=True)
    plane = tuple(conventions(model).values())
    drawn = plane[0]
    names = sample_names()
    faces = [sample_face(one) for one in (names * FACES[-1])[: FACES[-1]]]
    once = median(lambda: encode_face(model, faces[0]), repeats)
    encoded = [encode_face(model, face) for face in faces]
    views = other_views(model, faces[0])
    sys.stdout.write(
        f"{name}, {drawn.scheme.count} points, {model.device}, {torch.get_num_threads()} threads, {repeats} runs\n"
        f"  a face, once             {once:7.1f} ms\n"
    )
    for count in FACES:
        pictures = shape_pictures(faces[0], faces[1:count])
        for words, live in (("dragging", True), ("let go", False)):
            state = {**state_of(drawn), "live": live}

            def answer(count: int = count, state: dict = state, live: bool = live, pictures: dict = pictures) -> bytes:  # type: ignore[type-arg]
                told = answers_to(model, encoded[:count], plane, drawn, state, None if live else views)
                return pack(shape_payload(faces[0], plane, told, state, others=faces[1:count], pictures=pictures))

            sys.stdout.write(f"  {count:>2} faces, {words:<10} {median(answer, repeats):12.1f} ms\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tufa", int(sys.argv[2]) if len(sys.argv) > 2 else 30)
