"""The widgets' modules: how they are joined, and how long they may be."""

from __future__ import annotations

import pytest

from workbench.widgets.bundle import FOLDER, BundleError, modules

FILES = sorted([*FOLDER.glob("*.js"), *(FOLDER.parent / "app").glob("*.js")])


def test_modules_come_after_what_they_import(tmp_path):
    (tmp_path / "a.js").write_text(
        'import b from "./b.js";\nimport { two as zwei } from "./b.js";\nexport const one = zwei + b();\n'
    )
    (tmp_path / "b.js").write_text("const hidden = 1;\nexport const two = 2;\nexport default function b() {}\n")
    first, second = modules("a", folder=tmp_path)
    assert (first.name, second.name) == ("b", "a")
    assert first.exports == {"two": "two", "default": "b"}
    assert second.imports == (("b", "default", "b"), ("b", "two", "zwei"))
    assert "export" not in first.text + second.text


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ('import { x } from "./b.js";\nexport const y = x;\n', 'import { y } from "./a.js";\n', "a -> b -> a"),
        ('import { x } from "./b.js";\n', "const x = 1;\n", "a.js imports 'x' from b.js"),
        ('import { x } from "./c.js";\n', "", "imports c.js"),
        ('import * as x from "./b.js";\n', "", "cannot read"),
        ("export { x };\n", "", "cannot read"),
    ],
)  # fmt: skip
def test_modules_that_do_not_fit_together_are_named(tmp_path, a, b, message):
    (tmp_path / "a.js").write_text(a)
    (tmp_path / "b.js").write_text(b)
    with pytest.raises(BundleError, match=message):
        modules("a", folder=tmp_path)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_are_short_and_so_are_their_lines(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 400
    assert max(map(len, lines)) <= 120  # the formatter leaves strings and comments alone
