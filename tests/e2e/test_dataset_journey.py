"""A made set of 10,000 faces in a browser: only what is in sight is there, and a click opens a face with its label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import PATIENCE, at_rest, visit
from tests.made_run import made_run

pytestmark = pytest.mark.slow
FACES = 10_000


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("made")
    return tuple(  # type: ignore[return-value]
        made_run(folder, FACES, model, seed).save(folder / f"{model}.safetensors")
        for seed, model in enumerate(("dslpt-68", "slpt-68"))
    )


def opened(page: Page, url: str, run: Path) -> None:
    visit(page, f"{url}/dataset")
    box = page.get_by_label("A run, or a benchmark folder")
    box.fill(str(run))
    box.press("Enter")
    expect(page.locator(".card image").first).to_be_attached()
    at_rest(page)


def test_ten_thousand_faces_are_brushed_sorted_and_opened(page: Page, app_url: str, runs: tuple[Path, Path]) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    opened(page, app_url, runs[0])
    count, cards, wall = page.locator(".count"), page.locator(".card"), page.locator(".wall")
    expect(count).to_contain_text(f"{FACES} of {FACES} faces")
    assert cards.count() < 80
    nme = made_run(runs[0].parent, FACES).nme
    worst = f"{100 * nme.max():.3g}"
    expect(cards.first).to_contain_text(worst)

    wall.evaluate("wall => { wall.scrollTop = wall.scrollHeight; }")
    expect(cards.last).to_contain_text(f"{100 * nme.min():.3g}")
    expect(cards.last.locator("image")).to_be_attached()  # its picture came when it was in sight
    assert cards.count() < 80

    page.get_by_role("button", name="Largest first").click()
    expect(cards.first).to_contain_text(f"{100 * nme.min():.3g}")

    scatter = page.locator("canvas.scatter")
    place = scatter.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 0.55 * place["width"], place["y"] + 20)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] - 4, place["y"] + 0.6 * place["height"], steps=5)
    page.mouse.up()
    expect(count).to_contain_text("in the frame")
    some = int(count.inner_text().split()[0])
    assert 0 < some < FACES / 10
    page.get_by_role("button", name="All faces").click()
    expect(count).to_contain_text(f"{FACES} of {FACES} faces")

    page.get_by_role("button", name="Smallest first").click()
    cards.first.click()
    page.wait_for_url("**/relations**")
    expect(page.locator('canvas[aria-label^="Face with the relations"]').first).to_be_visible()
    label = page.locator(".st-key-wb-label")
    expect(label).to_contain_text(f"{100 * nme.max():.2f} % off its label")
    expect(label).to_contain_text("On this crop dslpt-68 is")
    crosses = page.get_by_text("yellow crosses: the data set's label")
    expect(crosses.first).to_be_visible()
    page.get_by_text("Label on the face").click()
    expect(crosses).to_have_count(0)
    assert not faults


def test_two_runs_point_by_point(page: Page, app_url: str, runs: tuple[Path, Path]) -> None:
    opened(page, app_url, runs[0])
    other = page.get_by_label("Compared with another run")
    other.fill(str(runs[1]))
    other.press("Enter")
    expect(page.locator(".said")).to_contain_text("dslpt-68 blue, slpt-68 orange")
    across = page.get_by_label("Across")
    expect(across).to_have_value("error of slpt-68, %")
    page.get_by_label("Sort the faces by").select_option("error less slpt-68's, points")
    expect(page.locator(".count")).to_contain_text("by error less slpt-68's")
    ours, theirs = (made_run(runs[0].parent, FACES, seed=seed).nme for seed in (0, 1))
    first: dict[str, int] = {}
    names = [f"drawn_{i % 12:04}.png" for i in range(FACES)]
    for i, name in enumerate(names):
        first[name] = i  # a name stands for its last face, as a dictionary keeps it
    apart = 100 * (ours - theirs[[first[name] for name in names]])
    expect(page.locator(".card").first).to_contain_text(f"{np.max(apart):.3g}")


def test_a_file_that_is_no_run_is_told_in_a_sentence(page: Page, app_url: str, tmp_path: Path) -> None:
    visit(page, f"{app_url}/dataset")
    box = page.get_by_label("A run, or a benchmark folder")
    for text, said in ((str(tmp_path / "none.safetensors"), "There is no run at"), (__file__, "is no run")):
        box.fill(text)
        box.press("Enter")
        expect(page.get_by_text(said)).to_be_visible()
