"""What it knows of a face before it has seen one: the similarity of the structure encodings."""

from workbench.app import messages, state, views


@messages.panel
def explorer() -> None:
    views.structure()
    state.publish()


explorer()
