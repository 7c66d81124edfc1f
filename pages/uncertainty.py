"""How sure it is: spreads, patches and paths, and what happens when a part of the face is covered."""

from workbench.app import cover, fitting, messages, state


@messages.panel
def explorer() -> None:
    if not fitting.missing("uncertainty"):
        cover.explorer(state.current())
    state.publish()


explorer()
