"""What an answer depends on: attributions over the face, and whether they hold."""

from workbench.app import attribution, messages, state


@messages.panel
def panel() -> None:
    attribution.show()
    state.publish()


panel()
