"""The notebook's host."""

from __future__ import annotations

import base64
from collections.abc import Callable
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

    def __init__(self, name: str, payload: Payload, still: Callable[[], bytes | None] | None = None) -> None:
        """Show ``payload`` in the widget ``name``; ``still`` makes the JPEG that stands in its place where no kernel
        runs. Raises UnknownNameError for a name that does not exist."""
        self._still = still
        state: dict[str, Any] = dict(payload["meta"].get("state", {}))
        super().__init__(_esm=module_source(name), packed=pack(payload), state=state)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        image = self._still() if self._still is not None else None
        if image is None or bundle is None:
            return bundle
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        shown = {**data, "image/jpeg": base64.b64encode(image).decode()}
        return (shown, *rest) if rest else shown


def jupyter(name: str, payload: Payload, still: Callable[[], bytes | None] | None = None) -> JupyterWidget:
    """The widget for a notebook cell; ``.state`` follows what the person commits and may be set. ``still`` makes a
    picture of it for where no kernel runs."""
    return JupyterWidget(name, payload, still)
