"""How two answers differ: two models, two faces, or a face with and without a change, side by side."""

from workbench.app import compare, messages, state


@messages.panel
def panel() -> None:
    compare.show()
    state.publish()


panel()
