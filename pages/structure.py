"""What it knows of a face before it has seen one: the similarity of the structure encodings."""

from workbench.app import messages, requirements, state, views


@messages.panel
def explorer() -> None:
    if not requirements.missing("structure"):
        views.structure()
    state.publish()


explorer()
