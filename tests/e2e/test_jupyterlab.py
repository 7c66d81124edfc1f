"""Lessons in JupyterLab itself: the explorers draw, answer the pointer, and Python knows what was clicked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from tests.e2e.test_shape_journey import LOW, SPAN, drag
from tests.serving import serve

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "notebooks"
PATIENCE = 120_000
NOSE_TIP = 30
LOOKED_AT = {
    "02_self_attention.ipynb": ("choose", "print('kept', explorer.state['selection']['place'] is not None)"),
    "03_relations.ipynb": ("explore", "print('kept', explorer.state['selection']['landmark'])"),
    "04_is_attention_an_explanation.ipynb": ("patch-figure", "print('kept', picker.kwargs['donor'])"),
    "07_shapes_on_a_plane.ipynb": (
        "draw",
        f"print('kept', round(editor.state['drawing']['points'][{NOSE_TIP}][0] - float(plane[{NOSE_TIP}, 0]), 1))",
    ),
}
"""Lesson -> the cell that it is run to, and what is asked of the kernel after a click."""

ALONE = {"04_is_attention_an_explanation.ipynb": ("setup", "patch", "patch-figure")}
"""Lesson -> the cells that are enough."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab with copies of the lessons, a cell longer, and with settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "work").mkdir()
    for name, (until, last) in LOOKED_AT.items():
        notebook = nbformat.read(FOLDER / name, as_version=4)
        ids = [cell.id for cell in notebook.cells]
        wanted = [cell for cell in notebook.cells[: ids.index(until) + 1] if cell.cell_type == "code"]
        if name in ALONE:
            wanted = [cell for cell in wanted if cell.id in ALONE[name]]
        notebook.cells = [*wanted, nbformat.v4.new_code_cell(last)]
        nbformat.write(notebook, folder / "work" / name)
    places = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    options = ("--no-browser", "--allow-root", "--ip=127.0.0.1", "--IdentityProvider.token=")
    root = f"--ServerApp.root_dir={folder / 'work'}"
    env = dict.fromkeys(places, str(folder / "home"))
    with serve(folder, "api/status", "jupyter", "lab", *options, root, env=env) as url:
        yield url


def run_all(page: Page, lab: str, name: str) -> None:
    """Run every cell once the kernel has started and the page has reached it; before that, JupyterLab forgets them."""
    for _ in range(PATIENCE // 500):
        sessions = page.request.get(f"{lab}/api/sessions").json()
        kernels = [session["kernel"] for session in sessions if session["path"] == name]
        if any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels):
            break
        page.wait_for_timeout(500)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    page.wait_for_timeout(1000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def opened(page: Page, lab: str, name: str) -> None:
    expect.set_options(timeout=PATIENCE)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab}/lab/workspaces/{Path(name).stem}/tree/{name}", wait_until="commit")  # each its own tabs
    run_all(page, lab, name)


def kept(page: Page, what: object) -> None:
    """The last cell, run again, tells what was clicked."""
    page.locator(".jp-Notebook .jp-InputArea-editor").last.click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jp-OutputArea-output", has_text=f"kept {what}")).to_be_visible()


@pytest.mark.parametrize(
    ("lesson", "model", "canvas", "said", "clicked"),
    [
        ("02_self_attention.ipynb", "ssfa-68", "with the prior", "of 32", True),
        ("03_relations.ipynb", "dslpt-68", "Face with the relations", f"({NOSE_TIP})", NOSE_TIP),
    ],
)
def test_an_explorer_lives_in_a_lesson(
    page: Page, lab: str, lesson: str, model: str, canvas: str, said: str, clicked: object
) -> None:
    opened(page, lab, lesson)
    face = page.locator(f'canvas[aria-label*="{canvas}"]').first
    face.wait_for(state="attached")
    face.scroll_into_view_if_needed()
    width = face.bounding_box()["width"]  # type: ignore[index]
    reading = wb.read(wb.load_model(model, device="cpu"), wb.sample_face("astronaut"))
    x, y = reading.points()[NOSE_TIP] * width
    face.hover(position={"x": x, "y": y})
    expect(page.locator(".wb-caption").first).to_contain_text(said)
    face.click(position={"x": x, "y": y})
    kept(page, clicked)


def test_a_choice_draws_again_and_python_knows_it(page: Page, lab: str) -> None:
    opened(page, lab, "04_is_attention_an_explanation.ipynb")
    menu = page.locator(".jupyter-widgets select")
    menu.wait_for()
    picture = page.locator(".jp-OutputArea-output .js-plotly-plot")
    expect(picture).to_have_count(1)
    before = picture.inner_html()
    menu.select_option("turned-left-30")
    expect(menu).to_have_value("turned-left-30")
    kept(page, "turned-left-30")
    assert picture.inner_html() != before


def test_a_point_is_dragged_in_a_lesson(page: Page, lab: str) -> None:
    opened(page, lab, "07_shapes_on_a_plane.ipynb")
    plane = page.locator('canvas[aria-label*="Face plane"]').first
    plane.wait_for(state="attached")
    expect(page.locator('.wb-shape[data-ready="true"]')).to_be_visible()
    plane.scroll_into_view_if_needed()
    points = wb.load_model("tufa", device="cpu").prompt("ibug68").detach().numpy()
    box = plane.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + (x - LOW) / SPAN * box["width"], box["y"] + (y - LOW) / SPAN * box["height"]

    x, y = map(float, points[NOSE_TIP])
    drag(page, at(x, y), at(x + 0.2, y))
    expect(page.locator(".wb-caption").first).to_contain_text("1 of 68 points")
    kept(page, 0.2)
