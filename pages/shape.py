"""Draw points of your own on the face plane and see them found on faces."""

from workbench.app import messages, shape, state


@messages.panel
def panel() -> None:
    if not shape.show():
        state.publish()


panel()
