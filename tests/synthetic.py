"""The drawn set, under the names that the tests know."""

from workbench.data.generated import draw_face as draw_face
from workbench.data.generated import face_shape as face_shape
from workbench.data.generated import write_drawn as write_synthetic

__all__ = ["draw_face", "face_shape", "write_synthetic"]
