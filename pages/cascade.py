"""A cascade of selective features: branch weights, gates, feature energy, heatmaps, steps and pruning."""

from workbench.app import explorer, messages, state


@messages.panel
def panel() -> None:
    explorer.show("cascade")
    state.publish()


panel()
