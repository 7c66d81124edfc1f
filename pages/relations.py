"""Who listens to whom: the attention between landmarks, on the face and as a matrix."""

from workbench.app import messages, pool, state, views


@messages.panel
def explorer() -> None:
    views.relations(pool.reading(state.current()))
    state.publish()


explorer()
