"""A landmark graph on the face: edges, node positions, and how landmarks lie to their neighbours."""

from workbench.app import explorer, messages, state


@messages.panel
def panel() -> None:
    explorer.show("graph")
    state.publish()


panel()
