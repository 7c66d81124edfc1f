"""Griffe extension: the docstrings' reStructuredText roles and tables become what Markdown understands.

``:func:`~workbench.reading.read``` turns into a link to ``read`` where the reference documents it, and stays plain
code where it does not; a table of ``====`` lines keeps its columns as a block of text. What a package only hands on is
documented once, in the module that defines it.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|data|attr|mod|exc):`(~?)([\w.]+)`")
TABLE = re.compile(r"^(=+(?: +=+)+)\n.*?\n\1\n.*?\n\1$", re.MULTILINE | re.DOTALL)


class Markdown(griffe.Extension):
    """Rewrites the docstring of every object once its module is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        self._rewrite(pkg)

    def _rewrite(self, item: griffe.Object) -> None:
        if isinstance(item, griffe.Module):
            item.exports = None
        if item.docstring:
            text = ROLE.sub(lambda found: reference(item, found[2], short=bool(found[1])), item.docstring.value)
            item.docstring.value = TABLE.sub(lambda found: f"```text\n{found[0]}\n```", text)
        for member in item.members.values():
            if not member.is_alias and isinstance(member, griffe.Object):
                self._rewrite(member)


def reference(item: griffe.Object, name: str, *, short: bool = False) -> str:
    """A name in an item's docstring as an optional cross-reference; MkDocs drops the link where nothing answers it."""
    try:
        path = item.resolve(name)
    except griffe.NameResolutionError:
        path = name
    shown = name.rsplit(".", 1)[-1] if short else name
    return f'<autoref optional identifier="{path}"><code>{shown}</code></autoref>'
