"""Draw points of your own on the face plane and see them found on the chosen face."""

from workbench.app import messages, shapes, state


@messages.panel
def explorer() -> None:
    shapes.notice()
    shapes.explorer(state.current())
    state.publish()


explorer()
