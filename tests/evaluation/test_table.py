"""The tables of docs/systems.md: a row for every printed size and every checkpoint, written between two markers."""

from __future__ import annotations

import pytest

from workbench.errors import DataError
from workbench.evaluation import table
from workbench.models import SYSTEMS, list_models
from workbench.paths import share


def test_every_system_prints_its_size_or_says_why_not() -> None:
    assert len(SYSTEMS) >= 8
    for system in SYSTEMS.values():
        assert system.printed_sizes, system.name
        assert set(system.printed_sizes) <= set(system.presets)
        assert set(system.notes) <= set(system.presets)


def test_a_row_for_every_printed_size_and_every_checkpoint(monkeypatch) -> None:
    monkeypatch.setattr(table, "milliseconds", lambda name, device="cpu": 12.34)
    monkeypatch.setattr(table, "count_preset", lambda name: (13_194_380, 6_081_199_104))
    text = table.markdown()
    assert "| SLPT | `slpt-98-lite` [3] | 13.194 | 13.19 | 6.081 | 6.12 |" in text
    for system in SYSTEMS.values():
        assert all(f"`{name}`" in text for name in system.printed_sizes)
        assert all(note in text for name, note in system.notes.items() if name in system.printed_sizes)
    for card in list_models():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{card.name}` |"))
        assert "12.3 |" in row and table.error_of(card) in row


def test_the_docs_say_of_every_system_what_the_register_says() -> None:
    docs = share("pages").parent / "docs"
    text, places = table.read_places(docs / "systems.md")
    weights = (docs / "bring-your-own.md").read_text(encoding="utf-8").split("## Weights")[1].split("```")[0]
    assert places == ("overview", "systems", "mechanisms")
    assert f"<!-- overview -->\n{table.overview()}\n<!-- /overview -->" in text
    for system in SYSTEMS.values():
        assert f"**{system.title}**" in table.overview()
        assert system.published is None or system.title in weights


def test_the_table_replaces_what_stands_between_the_markers(tmp_path, monkeypatch) -> None:
    made = "new \\1"
    monkeypatch.setattr(table, "markdown", lambda progress: made)
    page = tmp_path / "systems.md"
    page.write_text("before\n<!-- systems -->\nold\n<!-- /systems -->\nafter\n")
    table.write_into(page)
    assert page.read_text() == "before\n<!-- systems -->\nnew \\1\n<!-- /systems -->\nafter\n"
    made = "new"
    page.write_text("<!-- overview -->\n<!-- /overview --> and <!-- systems --><!-- /systems -->")
    table.write_into(page)
    inside = f"<!-- overview -->\n{table.overview()}\n<!-- /overview --> and <!-- systems -->\nnew\n<!-- /systems -->"
    assert page.read_text() == inside
    page.write_text("no markers")
    with pytest.raises(DataError, match="no place for the table"):
        table.write_into(page)
    with pytest.raises(DataError, match="cannot be read"):
        table.write_into(tmp_path / "missing.md")
    page.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="it is no text"):
        table.read_places(page)
