"""The notebook in JupyterLab itself: the explorer draws, answers the pointer, and Python knows what was clicked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from tests.serving import serve

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_reading_a_face.ipynb"
PATIENCE = 120_000
NOSE_TIP = 30


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab with a copy of the notebook, a cell longer, and with settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("print('kept', explorer.state['selection']['landmark'])"))
    (folder / "work").mkdir()
    nbformat.write(notebook, folder / "work" / NOTEBOOK.name)
    places = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    options = ("--no-browser", "--allow-root", "--ip=127.0.0.1", "--IdentityProvider.token=")
    root = f"--ServerApp.root_dir={folder / 'work'}"
    env = dict.fromkeys(places, str(folder / "home"))
    with serve(folder, "api/status", "jupyter", "lab", *options, root, env=env) as url:
        yield url


def run_all(page: Page, lab: str) -> None:
    """Run every cell once the kernel has started and the page has reached it; before that, JupyterLab forgets them."""
    for _ in range(PATIENCE // 500):
        kernels = [session["kernel"] for session in page.request.get(f"{lab}/api/sessions").json()]
        if any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels):
            break
        page.wait_for_timeout(500)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    page.wait_for_timeout(1000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_the_explorer_lives_in_a_notebook(page: Page, lab: str) -> None:
    expect.set_options(timeout=PATIENCE)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab}/lab/tree/{NOTEBOOK.name}", wait_until="commit")
    run_all(page, lab)
    face = page.locator('canvas[aria-label^="Face with the relations"]').first
    face.wait_for(state="attached")
    face.scroll_into_view_if_needed()
    width = face.bounding_box()["width"]  # type: ignore[index]
    reading = wb.read(wb.load_model("dslpt-68", device="cpu"), wb.sample_face("astronaut"))
    x, y = reading.points()[NOSE_TIP] * width
    face.hover(position={"x": x, "y": y})
    caption = page.locator(".wb-caption").first
    expect(caption).to_contain_text(f"({NOSE_TIP})")
    face.click(position={"x": x, "y": y})
    page.locator(".jp-Notebook .jp-InputArea-editor").last.click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jp-OutputArea-output", has_text=f"kept {NOSE_TIP}")).to_be_visible()
