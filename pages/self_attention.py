"""Where a place of the face looks: SSFA's attention, with and without the structure prior in training."""

from workbench.app import attention, messages, state


@messages.panel
def explorer() -> None:
    attention.explorer(state.current())
    state.publish()


explorer()
