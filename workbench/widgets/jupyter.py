"""The notebook's host; apart from the rest because importing anywidget takes a moment."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from workbench.widgets.hosts import Payload, module_source, pack


class JupyterWidget(anywidget.AnyWidget):
    """A widget in a notebook cell.

    Attributes:
        packed: the payload as packed bytes; assign ``pack(other_payload)`` to show something else.
        state: what the person committed, one entry a state key; may be set from Python.
    """

    packed = traitlets.Bytes(b"").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, name: str, payload: Payload) -> None:
        """Show ``payload`` in the widget ``name``. Raises UnknownNameError for a name that does not exist."""
        state: dict[str, Any] = dict(payload["meta"].get("state", {}))
        super().__init__(_esm=module_source(name), packed=pack(payload), state=state)
