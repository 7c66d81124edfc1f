"""Which landmarks listen to which: the attention between them, on the face and as a matrix."""

from workbench.app import messages, relations, state


@messages.panel
def panel() -> None:
    relations.show()
    state.publish()


panel()
