"""Head pose on the face, face confidence, and the distance heatmap; or faces followed through a film."""

from workbench.app import film, messages, state

# No part that reruns by itself, so that following a film can be called off (as in attribution.py).
with messages.guard("pose"):
    film.show()
    state.publish()
