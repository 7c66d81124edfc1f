"""The notebook's host."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from workbench.widgets.bundle import module_source
from workbench.widgets.payload import Payload, pack


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


def jupyter(name: str, payload: Payload) -> JupyterWidget:
    """The widget for a notebook cell; ``.state`` follows what the person commits and may be set."""
    return JupyterWidget(name, payload)
