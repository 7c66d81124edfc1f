"""Where each point of a structure prompt looks, layer by layer."""

from workbench.app import messages, prompts, state


@messages.panel
def panel() -> None:
    prompts.show()
    state.publish()


panel()
