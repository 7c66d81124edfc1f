"""How sure it is: spreads, patches and paths, and what happens when a part of the face is covered."""

from workbench.app import messages, state, uncertainty


@messages.panel
def panel() -> None:
    uncertainty.show()
    state.publish()


panel()
