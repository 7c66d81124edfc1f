"""The documentation: links lead somewhere, every command and room is told of, and its numbers are the cards' own."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

import pytest
import yaml

import workbench as wb
from tools.manual import drawing, hooks
from workbench.data.readers import READERS
from workbench.evaluation.table import SYSTEMS_PLACE, coverage_of, mechanism_table, verdict_table
from workbench.models import SYSTEMS
from workbench.models.card import error_of
from workbench.views import figures

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
UNSEEN = {"__main__", "app", "cli", "launch", "paths", "files", "lazy"}
"""Rooms that nobody imports from; the reference leaves them out."""


def prose(page: Path) -> str:
    """A page without its blocks of code, and with what it includes."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def anchors(page: Path) -> set[str]:
    """The addresses of a page's headings, as MkDocs and GitHub make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", h).strip().lower()) for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{page.name} links to {link}"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def test_pictures_are_told_in_words() -> None:
    for page in PAGES:
        assert re.findall(r"!\[\s*\]\(", page.read_text(encoding="utf-8")) == [], page.name


def test_every_page_is_in_the_navigation() -> None:
    class Loader(yaml.SafeLoader):
        """MkDocs' file, whatever tags it holds."""

    Loader.add_multi_constructor("", lambda loader, suffix, node: None)
    raw = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)

    def files(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [name for part in (entry.values() if isinstance(entry, dict) else entry) for name in files(part)]

    assert sorted(files(raw["nav"])) == sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))
    assert raw["theme"]["font"] is False


def test_every_room_has_its_reference() -> None:
    documented = set(re.findall(r"^::: workbench\.(\w+)$", "\n".join(_text(p) for p in DOCS.rglob("*.md")), re.M))
    assert documented == {room for row in drawing.layers() for room in row} - UNSEEN


def test_every_command_has_its_help() -> None:
    page = _text(DOCS / "command-line.md")
    assert hooks.PLACE.findall(page) == re.findall(r"^## workbench ?([\w-]*)$", page, re.M)
    assert set(hooks.PLACE.findall(page)) == {"", *hooks.commands()}
    assert "--threshold" in hooks.on_page_markdown("<!-- help: figure -->")
    with pytest.raises(ValueError, match="no command 'nothing'"):
        hooks.help_of("nothing")


@pytest.mark.slow
def test_commands_that_pages_name_exist_with_their_options() -> None:
    cards = {card.name: card for card in wb.list_models()}
    for page in PAGES:
        for line in re.findall(r"^workbench .*$", "\n".join(FENCE.findall(_text(page))), re.M):
            words = shlex.split(line, comments=True)
            known = hooks.help_of(words[1])
            for flag in (w for w in words if w.startswith("--")):
                assert re.search(rf"{flag}\b", known), f"{page.name}: {line}"
            given = dict(itertools.pairwise(words))
            assert given.get("--view", "relations").replace("-", "_") in figures(), f"{page.name}: {line}"
            model = given.get("--model", "dslpt-68")
            assert model in cards or model.endswith(".safetensors"), f"{page.name}: {line}"
            assert "--tap" not in given or given["--tap"] in cards[model].taps, f"{page.name}: {line}"


def test_the_tables_hold_every_printed_size_and_every_checkpoint() -> None:
    table = _text(DOCS / "systems.md").split(f"<!-- {SYSTEMS_PLACE} -->")[1].split("<!-- /")[0]
    for system in SYSTEMS.values():
        for name, printed in system.printed_sizes.items():
            (row,) = (line for line in table.splitlines() if re.match(rf"\| {system.title} \| `{name}`[ |]", line))
            cells = [cell.strip() for cell in row.split("|")]
            assert [cells[4], cells[6]] == ["-" if value is None else f"{value:g}" for value in printed]
    for card in wb.list_models():
        (row,) = (line for line in table.splitlines() if line.startswith(f"| `{card.name}` |"))
        assert f"| {card.parameters / 1e6:.2f} | {card.multiply_accumulates / 1e9:.2f} | {error_of(card)} |" in row


def test_the_table_of_coverage_is_that_of_the_cards() -> None:
    page = _text(DOCS / "systems.md")
    for line in coverage_of(wb.list_models()):
        assert line in page


def test_what_the_cards_say_of_mechanisms_stands_in_the_docs() -> None:
    assert f"<!-- mechanisms -->\n{mechanism_table()}\n" in _text(DOCS / "systems.md")
    assert f"<!-- verdicts -->\n{verdict_table()}\n" in _text(ROOT / "README.md")
    rows = [line for line in verdict_table().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(bool(card.mechanisms) for card in wb.list_models()) >= 8
    assert "| `scc-68` | - | channel gates" in verdict_table()


def test_every_reader_is_told_of() -> None:
    page = hooks.on_page_markdown(_text(DOCS / "data-sets.md"))
    for reader in READERS.values():
        assert f"| recognised by | `{reader.pattern}` |\n| holds | {reader.layout} |" in page
        for rule in (reader.points, reader.splits, reader.box, reader.missing):
            assert rule and f" | {rule} |" in page, reader.name


def test_the_first_steps_of_the_readme_run(tmp_path, monkeypatch) -> None:
    (steps,) = re.findall(r"```python\n(.*?)```", _text(ROOT / "README.md"), re.DOTALL)
    wb.sample_face("astronaut").photo.save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(steps, names)
    assert names["reading"].landmarks.shape == (68, 2)  # type: ignore[attr-defined]


def test_hooks_before_a_commit_fetch_nothing_and_check_what_ci_checks() -> None:
    raw = yaml.safe_load(_text(ROOT / ".pre-commit-config.yaml"))
    assert {repo["repo"] for repo in raw["repos"]} == {"local"}
    entries = " ".join(hook["entry"] for repo in raw["repos"] for hook in repo["hooks"])
    checks = ("ruff check", "ruff format", "mypy", "lint-imports", "npm run --silent lint", "npm run --silent types")
    for check in checks:
        assert check in entries
        assert check in _text(ROOT / ".ci" / "run")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
