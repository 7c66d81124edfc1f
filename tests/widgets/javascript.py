"""Runs functions of the widgets' modules in Node, without a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

from workbench.widgets.bundle import FOLDER, modules


def node() -> str:
    """The machine's Node, or the one that comes with Playwright."""
    return shutil.which("node") or str(compute_driver_executable()[0])


def run(tmp_path: Path, root: str, body: str, **given: Any) -> Any:
    """What ``body`` (with ``return``) gives back, with ``given`` as ``input``.

    Of the module ``root`` and all that it imports, those exports are imported that ``body`` names. Every call is one
    test of Node's own runner, so that a thrown error comes with its place.
    """
    out = tmp_path / "out.json"
    (tmp_path / "input.json").write_text(json.dumps(given), encoding="utf-8")
    words = set(re.findall(r"\w+", body))
    wanted = {module.name: sorted(words & (module.exports.keys() - {"default"})) for module in modules("host", root)}
    imports = "\n".join(
        f"import {{ {', '.join(names)} }} from {json.dumps((FOLDER / f'{file}.js').as_uri())};"
        for file, names in wanted.items()
        if names
    )
    script = f"""{imports}
import test from "node:test";
import {{ readFileSync, writeFileSync }} from "node:fs";
test("body", async () => {{
  const input = JSON.parse(readFileSync({json.dumps(str(tmp_path / "input.json"))}, "utf8"));
  const result = await (async () => {{ {body} }})();
  writeFileSync({json.dumps(str(out))}, JSON.stringify(result));
}});
"""
    file = tmp_path / "body.test.mjs"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [node(), str(file)], capture_output=True, text=True, timeout=60, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text(encoding="utf-8"))
