"""ES modules of this folder -> one ES module a widget, because a page loads it from a blob URL.

From there no relative import could be resolved. Each module becomes a function that returns what it exports, called
once in the order of the imports, so that no two modules share a scope. Supported are ``import { a, b as c } from
"./x.js"``, ``import a from "./x.js"`` and ``export`` (or ``export default``) before a function, class or constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workbench.errors import unknown

FOLDER = Path(__file__).parent
NAMES = (
    "relations",
    "structure",
    "uncertainty",
    "picker",
    "shape",
    "inside",
    "self_attention",
    "attribution",
    "prompts",
    "occlusion",
    "graph",
    "cascade",
    "pose",
    "tracking",
    "effect",
)
"""The widgets; each is the default export of the module of its name: ``mount(host) -> cleanup``."""

_IMPORT = re.compile(r'^import\s+(?:(?P<default>\w+)|\{(?P<names>[^}]*)\})\s+from\s+"\./(?P<file>\w+)\.js";\n', re.M)
_EXPORT = re.compile(
    r"^export\s+(?P<default>default\s+)?(?=(?:async\s+)?(?:function\*?|class|const)\s+(?P<name>\w+))", re.M
)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.M)


class BundleError(RuntimeError):
    """The widgets' modules do not fit together."""


@dataclass(frozen=True)
class Module:
    """One file: its text without import and export, what it imports and what it exports.

    ``imports`` are (module, name there, name here); ``exports`` name -> name inside ("default" the default export).
    """

    name: str
    text: str
    imports: tuple[tuple[str, str, str], ...]
    exports: dict[str, str]


def parse(name: str, text: str) -> Module:
    """The text of ``name``.js taken apart.

    Raises:
        BundleError: a form of import or export that is not supported.
    """
    imports = []
    for found in _IMPORT.finditer(text):
        if found["default"]:
            imports.append((found["file"], "default", found["default"]))
        for item in (found["names"] or "").split(","):
            there, _, here = item.strip().partition(" as ")
            if there:
                imports.append((found["file"], there, here or there))
    exports = {"default" if found["default"] else found["name"]: found["name"] for found in _EXPORT.finditer(text)}
    body = _EXPORT.sub("", _IMPORT.sub("", text))
    if left := _OTHER.search(body):
        raise BundleError(f"{name}.js has a line that the bundler cannot read: {left[0]}")
    return Module(name, body.strip("\n"), tuple(imports), exports)


@cache
def modules(*roots: str, folder: Path = FOLDER) -> tuple[Module, ...]:
    """The named modules and all that they import, each after those that it needs.

    Raises:
        BundleError: modules import one another in a circle, or a file or an export does not exist.
    """
    done: dict[str, Module] = {}

    def visit(name: str, path: tuple[str, ...]) -> Module:
        if name in path:
            raise BundleError(f"Modules import one another in a circle: {' -> '.join((*path, name))}.")
        if name not in done:
            file = folder / f"{name}.js"
            if not file.is_file():
                raise BundleError(f"{path[-1] if path else 'The bundle'} imports {name}.js, which does not exist.")
            module = parse(name, file.read_text(encoding="utf-8"))
            for other, there, _ in module.imports:
                if there not in visit(other, (*path, name)).exports:
                    raise BundleError(f"{name}.js imports '{there}' from {other}.js, which does not export it.")
            done[name] = module
        return done[name]

    for root in roots:
        visit(root, ())
    return tuple(done.values())


def _joined(found: tuple[Module, ...]) -> Iterator[str]:
    for module in found:
        wanted: dict[str, list[str]] = {}
        for other, there, here in module.imports:
            wanted.setdefault(other, []).append(there if there == here else f"{there}: {here}")
        given = ", ".join(name if name == inner else f"{name}: {inner}" for name, inner in module.exports.items())
        yield f"const {_variable(module.name)} = (() => {{"
        yield from (f"const {{ {', '.join(names)} }} = {_variable(other)};" for other, names in wanted.items())
        yield module.text
        yield f"return {{ {given} }};\n}})();\n"


def _variable(name: str) -> str:
    return f"module_{name}"


@cache
def widget_script(name: str) -> str:
    """Script that leaves the widget in ``mount``, and ``entry`` and ``standaloneHost`` of host.js beside it.

    Raises:
        UnknownNameError: no such widget.
    """
    if name not in NAMES:
        raise unknown("widget", name, NAMES)
    ends = f"const {{ default: mount }} = module_{name};\nconst {{ entry, standaloneHost }} = module_host;\n"
    return "\n".join([*_joined(modules("host", name)), ends])


def module_source(name: str) -> str:
    """The ES module of a widget, for Streamlit and Jupyter alike (its default export tells them apart).

    Raises:
        UnknownNameError: no such widget.
    """
    return f"{widget_script(name)}export default entry(mount);\n"


def joined_source(name: str, folder: Path) -> str:
    """The ES module of a page's own component in another folder, with what it imports there. Raises BundleError."""
    return "\n".join([*_joined(modules(name, folder=folder)), f"export default module_{name}.default;\n"])
