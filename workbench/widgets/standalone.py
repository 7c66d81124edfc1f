"""A widget as a file that works from a disk."""

from __future__ import annotations

import base64
import html

from workbench.widgets.bundle import widget_script
from workbench.widgets.payload import Payload, pack


def standalone_html(name: str, payload: Payload, title: str = "workbench") -> str:
    """One HTML file with the module and the data inside, which works from a disk without any network."""
    data = base64.b64encode(pack(payload)).decode()
    script = widget_script(name).replace("</script", "<\\/script")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{html.escape(title)}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; padding: 1rem; max-width: 1280px; background: light-dark(#fff, #14161a); }}
</style>
</head>
<body>
<main id="widget"></main>
<script type="module">
{script}
standaloneHost(document.getElementById("widget"), "{data}", mount);
</script>
</body>
</html>
"""
