"""Make the sample portraits: `python -m tools.portraits --data webmorph189 --out samples`.

Each picture is the average of several openly licensed portraits (CC BY 4.0), warped to their common mean
shape, then turned, lit, dressed or partly covered. Nobody in them exists. The sources are the Face Research
Lab London Set (DeBruine and Jones 2017) and the Canada set, with WebMorph's 189 points, as packaged by
webmorphR.stim.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from tqdm import tqdm

from tools.portraits.average import CANVAS, Head, Row, composite, groups, read_rows, to_srgb
from tools.portraits.hand import hand
from tools.portraits.paint import Colour, assemble, clothes, glasses, mask, wall
from tools.portraits.turn import side_light, tilt, turn
from workbench.errors import DataError

SIZE = 384  # px of a single portrait
QUALITY = 88
EXAGGERATE = 1.3  # mean shapes are moved this much further from the mean of all
SETS = {
    "neutral_front": "Face Research Lab London Set (Lisa DeBruine and Benedict Jones, 2017, figshare)",
    "canada": "Canada set (Lisa DeBruine and Benedict Jones)",
}
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"

# The seed portrait and the size of each group; the others are the seed's nearest in measured appearance.
GROUPS = {
    "dark": ("neutral_front_137_03", 8),
    "tan": ("neutral_front_024_03", 7),
    "dusk": ("neutral_front_066_03", 8),
    "pale": ("neutral_front_063_03", 8),
    "long": ("neutral_front_041_03", 8),
    "blond": ("neutral_front_027_03", 7),
    "oval": ("neutral_front_014_03", 8),
    "stubble": ("neutral_front_108_03", 7),
    "light": ("neutral_front_083_03", 7),
    "olive": ("neutral_front_017_03", 7),
    "round": ("canada_054f", 8),
    "square": ("canada_113m", 8),
    "freckled": ("canada_008f", 7),
    "soft": ("canada_149m", 7),
}

Step = Callable[[Head], Head]


@dataclass(frozen=True)
class Portrait:
    """How one picture is made from one group; colours are sRGB 0..1."""

    name: str
    title: str
    group: str
    wall: Colour
    jumper: Colour
    changes: str = ""
    steps: tuple[Step, ...] = field(default=())
    high: bool = False
    spots: int = 0
    cover_with_hand: bool = False


PORTRAITS = (
    Portrait("frontal-a", "Frontal", "dusk", (0.64, 0.66, 0.66), (0.24, 0.34, 0.40)),
    Portrait("frontal-b", "Frontal", "dark", (0.72, 0.66, 0.56), (0.78, 0.74, 0.66), high=True),
    Portrait(
        "turned-left-30",
        "Turned 30 degrees to image left",
        "tan",
        (0.44, 0.52, 0.56),
        (0.70, 0.68, 0.64),
        "turned 30 degrees in depth",
        (lambda h: turn(h, -30),),
        high=True,
        spots=22,
    ),
    Portrait(
        "side-light",
        "Lit from one side",
        "stubble",
        (0.27, 0.27, 0.29),
        (0.24, 0.25, 0.28),
        "lit from image left through its depth",
        (side_light,),
    ),
    Portrait(
        "sunglasses",
        "With sunglasses",
        "blond",
        (0.48, 0.58, 0.64),
        (0.74, 0.72, 0.70),
        "painted sunglasses",
        (lambda h: glasses(h, dark=True),),
        spots=24,
    ),
    Portrait(
        "tilted-right",
        "Leaning 15 degrees to image right",
        "oval",
        (0.50, 0.54, 0.42),
        (0.80, 0.77, 0.70),
        "leaning 15 degrees",
        (lambda h: tilt(h, 15),),
        spots=22,
    ),
    Portrait(
        "turned-right-15",
        "Turned 15 degrees to image right",
        "long",
        (0.58, 0.63, 0.66),
        (0.42, 0.20, 0.20),
        "turned 15 degrees in depth",
        (lambda h: turn(h, 15),),
    ),
    Portrait(
        "hand",
        "With a hand over the mouth",
        "soft",
        (0.52, 0.55, 0.58),
        (0.58, 0.50, 0.32),
        "painted hand",
        high=True,
        cover_with_hand=True,
    ),
    Portrait(
        "mask",
        "With a medical mask",
        "light",
        (0.64, 0.68, 0.72),
        (0.50, 0.24, 0.26),
        "painted medical mask",
        (mask,),
        high=True,
    ),
    Portrait("frontal-c", "Frontal", "olive", (0.66, 0.70, 0.66), (0.20, 0.22, 0.26)),
    Portrait(
        "glasses",
        "With glasses",
        "pale",
        (0.72, 0.69, 0.62),
        (0.22, 0.27, 0.40),
        "painted glasses",
        (lambda h: glasses(h, dark=False),),
    ),
    Portrait(
        "turned-left-25",
        "Turned 25 degrees to image left",
        "round",
        (0.72, 0.70, 0.66),
        (0.30, 0.36, 0.52),
        "turned 25 degrees in depth",
        (lambda h: turn(h, -25),),
        high=True,
    ),
    Portrait(
        "tilted-left",
        "Leaning 12 degrees to image left",
        "freckled",
        (0.66, 0.70, 0.74),
        (0.34, 0.46, 0.44),
        "leaning 12 degrees",
        (lambda h: tilt(h, -12),),
        high=True,
    ),
    Portrait(
        "turned-right-30",
        "Turned 30 degrees to image right",
        "square",
        (0.62, 0.62, 0.60),
        (0.28, 0.36, 0.30),
        "turned 30 degrees in depth",
        (lambda h: turn(h, 30),),
        high=True,
    ),
)
TRIO = ("tan", "oval", "pale")  # of the group picture, from image left to image right
TRIO_SIZE = (576, 300)  # px


def portrait(recipe: Portrait, head: Head, rng: np.random.Generator) -> np.ndarray:
    """The picture of `recipe` in linear light, (C, C, 3)."""
    for step in recipe.steps:
        head = step(head)
    picture = clothes(assemble(head, wall(recipe.wall, rng, recipe.spots)), head, recipe.jumper, rng, recipe.high)
    return hand(picture, head, recipe.jumper) if recipe.cover_with_hand else picture


def develop(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Linear light to an sRGB photograph of `size` (w, h): reduced, mildly sharpened, with a little grain."""
    factor = len(picture) // size[1] if len(picture) % size[1] == 0 else 1
    h, w = len(picture) // factor, picture.shape[1] // factor
    small = picture[: h * factor, : w * factor].reshape(h, factor, w, factor, 3).mean((1, 3))
    image = to_srgb(small)
    image = image + 0.25 * (image - gaussian_filter(image, (1.0, 1.0, 0)))
    grain = gaussian_filter(rng.standard_normal(image.shape[:2]), 0.5)[..., None]
    pixels = np.clip(image + 0.007 * grain, 0, 1) * 255
    return Image.fromarray(np.rint(pixels).astype(np.uint8)).resize(size, Image.Resampling.LANCZOS)


def group_picture(heads: list[Head], rng: np.random.Generator) -> np.ndarray:
    """Three people side by side in linear light, (900, 1728, 3).

    The outer two turned, the middle one leaning.
    """
    height, width = 3 * TRIO_SIZE[1], 3 * TRIO_SIZE[0]
    backdrop = wall((0.56, 0.58, 0.54), rng, 22)
    rows = np.linspace(0, CANVAS - 1, height).astype(int)
    columns = np.linspace(0, CANVAS - 1, width).astype(int)
    scene = gaussian_filter(backdrop[rows][:, columns], (6, 6, 0))
    people = (
        (turn(heads[0], 12), (0.30, 0.38, 0.46), True, -70, 133),
        (turn(heads[2], -12), (0.46, 0.26, 0.24), False, 1030, 140),
        (tilt(heads[1], 5), (0.78, 0.75, 0.68), False, 480, 196),
    )
    for head, jumper, high, left, top in people:
        painted, cover = _cut_out(head, jumper, high, rng)
        x0, x1 = max(0, left), min(width, left + CANVAS)
        y1 = min(height, top + CANVAS)
        part = (slice(0, y1 - top), slice(x0 - left, x1 - left))
        below = scene[top:y1, x0:x1]
        scene[top:y1, x0:x1] = below + cover[part][..., None] * (painted[part] - below)
    return scene


def _cut_out(head: Head, jumper: Colour, high: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A dressed head and its cover: painted before black and before white, what differs shows through."""
    state = rng.bit_generator.state
    shown = []
    for level in (0.0, 1.0):
        rng.bit_generator.state = state
        shown.append(clothes(assemble(head, np.full((CANVAS, CANVAS, 3), level)), head, jumper, rng, high))
    cover = np.clip(1 - (shown[1] - shown[0]).mean(-1), 0, 1)
    return shown[0] / np.maximum(cover, 1e-3)[..., None], cover


def credit(name: str, title: str, rows: list[Row], changes: str, faces: int = 1) -> dict[str, object]:
    """The entry of credits.json for a picture made from `rows`."""
    counts = {s: sum(row.stimset == s for row in rows) for s in SETS}
    used = [s for s in SETS if counts[s]]
    return {
        "name": name,
        "file": f"{name}.jpg",
        "title": title,
        "credit": f"Derived from the {' and the '.join(SETS[s] for s in used)}, via webmorphR.stim",
        "licence": "CC BY 4.0",
        "licence_url": LICENCE_URL,
        "made_from": {"portraits": len(rows), "faces": faces, "stimsets": used},
        "changes": f"average of {len(rows)} portraits warped to {'their' if faces == 1 else 'three'} mean "
        f"shape{'' if faces == 1 else 's'}; wall and clothes painted" + (f"; {changes}" if changes else ""),
    }


def make(data: Path, out: Path, seed: int = 2017) -> list[dict[str, object]]:
    """Write every sample picture and credits.json to `out`; returns the credits.

    Raises DataError when `data` is not a webmorph189 folder.
    """
    rows = read_rows(data)
    chosen = groups(rows, GROUPS)
    centre = np.mean([row.points for row in rows], axis=0)
    out.mkdir(parents=True, exist_ok=True)
    heads, credits = {}, []
    for number, recipe in enumerate(tqdm(PORTRAITS, desc="composites", unit="picture")):
        rng = np.random.default_rng(seed + number)
        heads[recipe.group] = composite(chosen[recipe.group], centre, EXAGGERATE)
        picture = portrait(recipe, heads[recipe.group], rng)
        develop(picture, (SIZE, SIZE), rng).save(out / f"{recipe.name}.jpg", quality=QUALITY, optimize=True)
        credits.append(credit(recipe.name, recipe.title, chosen[recipe.group], recipe.changes))
    rng = np.random.default_rng(seed - 1)
    picture = group_picture([heads[name] for name in TRIO], rng)
    develop(picture, TRIO_SIZE, rng).save(out / "group.jpg", quality=QUALITY, optimize=True)
    together = [row for name in TRIO for row in chosen[name]]
    credits.append(credit("group", "Three people", together, "turned and leaning; set side by side", len(TRIO)))
    (out / "credits.json").write_text(json.dumps(credits, indent=1) + "\n")
    return credits


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.portraits", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the webmorph189 folder")
    parser.add_argument("--out", type=Path, required=True, help="where the pictures and credits.json go")
    parser.add_argument("--seed", type=int, default=2017, help="of walls, cloth and grain")
    options = parser.parse_args(arguments)
    try:
        credits = make(options.data, options.out, options.seed)
    except DataError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{len(credits)} pictures in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
