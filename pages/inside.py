"""What any model holds inside: every tensor that it records, on the face."""

from workbench.app import inside, messages, state


@messages.panel
def panel() -> None:
    inside.show()
    state.publish()


panel()
