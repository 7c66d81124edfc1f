"""How sure it is: spreads, patches and paths, and what happens when a part of the face is covered."""

from workbench.app import messages, requirements, state, uncertainty


@messages.panel
def explorer() -> None:
    if not requirements.missing("uncertainty"):
        uncertainty.explorer(state.current())
    state.publish()


explorer()
