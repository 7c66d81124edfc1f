"""The app run without a browser, over two small untrained models on a shelf of their own."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from workbench.app import readings
from workbench.faces import sample_photo
from workbench.models import build, card, preset, save_checkpoint, zoo

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "workbench" / "app" / "main.py"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dslpt-68 and dslpt-98, tiny and untrained."""
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    for count in (68, 98):
        config = replace(preset(f"dslpt-{count}-compact"), dim=16, heads=2, layers=2, ffn=32)
        model = build(config, 0.15 + 0.7 * torch.rand(count, 2))
        model.name = f"dslpt-{count}"
        save_checkpoint(model, folder / model.name, zoo.describe(model, title=f"Small, {count} points"))
    return folder


@pytest.fixture(autouse=True)
def _shelf(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = card.share
    monkeypatch.setattr(card, "share", lambda name: checkpoints if name == "checkpoints" else elsewhere(name))
    st.cache_resource.clear()
    for cache in readings.CACHES:
        cache.clear()


Opener = Callable[..., AppTest]


@pytest.fixture
def open_page() -> Opener:
    """Open a page ("start", "relations" ...) with query parameters, as following a link does."""

    def opened(page: str = "start", **link: str) -> AppTest:
        at = AppTest.from_file(str(MAIN), default_timeout=60)
        for key, value in link.items():
            at.query_params[key] = value
        if page != "start":
            with_pages = at.run()
            at = with_pages.switch_page(f"../../pages/{page}.py")
            for key, value in link.items():
                at.query_params[key] = value
        return at.run()

    return opened


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def no_face() -> bytes:
    """A picture without a face: a soft gradient."""
    ramp = np.linspace(60, 180, 240, dtype=np.uint8)
    return png(Image.fromarray(np.stack([np.tile(ramp, (200, 1))] * 3, axis=-1)))


@pytest.fixture(scope="session")
def five_faces() -> bytes:
    """The astronaut's head five times in a row."""
    head = sample_photo("astronaut").crop((130, 0, 330, 230))
    row = Image.new("RGB", (5 * head.width, head.height), (128, 128, 128))
    for k in range(5):
        row.paste(head, (k * head.width, 0))
    return png(row)


def words(at: AppTest) -> str:
    """Everything written on the page."""
    parts = [e.value for e in (*at.markdown, *at.caption)]
    return "\n".join([*parts, *(str(e.proto) for e in at.get("html"))])
