"""What an answer depends on: attributions over the face, and whether they hold."""

from workbench.app import attribution, messages, state

# No part that reruns by itself: Streamlit lets such a rerun wait for the run before it, and then nothing could be
# called off.
with messages.guard("attribution"):
    attribution.show()
    state.publish()
