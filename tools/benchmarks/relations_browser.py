"""The Relations view in a browser, on as much attention as bertviz was measured with: six layers of eight heads over
98 landmarks. ``python -m tools.benchmarks.relations_browser [ROUNDS]``

Writes the view as an offline HTML file, opens it in this machine's Chromium, and prints the bytes that travel and the
milliseconds (median of the rounds) from opening the file to its first drawn face, from a click on another head to the
frame that shows it, and from a pointer's move to the frame that isolates a landmark's lines.

bertviz's head view, measured on the same size of attention: 20.9 MB, drawn after 1.4 s, another layer after 767 ms,
hovering painted after 30 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright

import workbench as wb
from workbench.models.alignment import Alignment
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace
from workbench.widgets import pack, relations_payload, standalone_html

LAYERS, HEADS, POINTS = 6, 8, 98
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_PAINTED = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"
)


def reading() -> Reading:
    """A reading of a sample face by a model of 98 points, with seeded attention of that size in place of its own."""
    model = wb.load_model("dslpt-98", device="cpu")
    plain = wb.read(model, wb.sample_face("frontal-a"))
    rng, trace = np.random.default_rng(0), Trace()
    for layer in range(LAYERS):
        scores = torch.tensor(3 * rng.standard_normal((1, HEADS, POINTS, POINTS)), dtype=torch.float32)
        trace[f"layers.{layer}.self"] = NamedTensor(
            scores.softmax(-1), ("batch", "head", "query_landmark", "key_landmark")
        )
    return replace(plain, trace=trace, alignment=Alignment(landmarks=plain.alignment.landmarks))


def measure(page: Page, url: str) -> dict[str, float]:
    """One opening of the file, one switch and one hover, in milliseconds."""
    page.goto(url, wait_until="commit")
    page.wait_for_function("() => document.querySelector('canvas')?.height > 200")
    drawn = page.evaluate(_PAINTED)
    face = page.locator("canvas").first
    box = face.bounding_box()
    assert box
    switched = page.evaluate(
        f"""async () => {{ const start = performance.now();
        document.querySelector('.wb-thumbs button[data-at="3 5"]').click();
        return await ({_PAINTED})() - start; }}"""
    )
    hovered = page.evaluate(
        f"""async ([x, y]) => {{ const start = performance.now(), canvas = document.querySelector('canvas');
        canvas.dispatchEvent(new PointerEvent('pointermove', {{ clientX: x, clientY: y, bubbles: true }}));
        return await ({_PAINTED})() - start; }}""",
        [box["x"] + 0.5 * box["width"], box["y"] + 0.55 * box["width"]],
    )
    return {"drawn": drawn, "switch": switched, "hover": hovered}


def main(rounds: int) -> None:
    payload = relations_payload(reading())
    packed = len(pack(payload))
    out: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "relations.html"
        file.write_text(standalone_html("relations", payload), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
            out.append(measure(context.new_page(), file.as_uri()))
            context.close()
        browser.close()
        whole = file.stat().st_size
    photo = len(payload["blobs"]["photo"])
    words = (
        f"{packed / 1e6:.2f} MB travel, {photo / 1e6:.2f} MB of them the photograph; as a file {whole / 1e6:.2f} MB"
    )
    middle = {name: statistics.median(one[name] for one in out) for name in out[0]}
    sys.stdout.write(f"{LAYERS} x {HEADS} x {POINTS} x {POINTS}: {words}\n")
    sys.stdout.write(
        f"drawn after {middle['drawn']:.0f} ms, another head after {middle['switch']:.0f} ms, hovering after "
        f"{middle['hover']:.0f} ms, each with the two frames that the browser takes to show it\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
