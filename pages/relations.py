"""Which landmarks listen to which: the attention between them, on the face and as a matrix."""

from workbench.app import explorer, messages, state


@messages.panel
def panel() -> None:
    explorer.show("relations")
    state.publish()


panel()
