"""Who listens to whom: the attention between landmarks, on the face and as a matrix."""

from workbench.app import fitting, messages, pool, state, views


@messages.panel
def explorer() -> None:
    if not fitting.missing("relations"):
        views.relations(pool.reading(state.current()))
    state.publish()


explorer()
