"""Draw points of your own on the face plane and see them found on the chosen face."""

from workbench.app import messages, shape, state


@messages.panel
def panel() -> None:
    shape.show()
    state.publish()


panel()
