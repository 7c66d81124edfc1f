"""What is covered, and what a network makes of it: maps, gates, and the shape that few numbers recover."""

from workbench.app import messages, occlusion, state


@messages.panel
def panel() -> None:
    occlusion.show()
    state.publish()


panel()
