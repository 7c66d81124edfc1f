"""Where a place of the face looks: SSFA's attention, with and without the structure prior in training."""

from workbench.app import messages, self_attention, state


@messages.panel
def explorer() -> None:
    self_attention.explorer(state.current())
    state.publish()


explorer()
