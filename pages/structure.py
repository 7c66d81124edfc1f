"""What it knows of a face before it has seen one: the similarity of the structure encodings."""

from workbench.app import messages, state, structure


@messages.panel
def panel() -> None:
    structure.show()
    state.publish()


panel()
