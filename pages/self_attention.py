"""Where a place of the face looks, with and without the structure prior in training."""

from workbench.app import messages, self_attention, state


@messages.panel
def panel() -> None:
    self_attention.show()
    state.publish()


panel()
