"""Who listens to whom: the attention between landmarks, on the face and as a matrix."""

from workbench.app import cache, messages, requirements, state, views


@messages.panel
def explorer() -> None:
    if not requirements.missing("relations"):
        views.relations(cache.reading(state.current()))
    state.publish()


explorer()
