"""A whole run: which faces fail, and the way from each to the pages that show why."""

from workbench.app import dataset, messages, state


@messages.panel
def panel() -> None:
    dataset.show()
    state.publish()


panel()
