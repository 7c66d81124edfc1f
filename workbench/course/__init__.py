"""The course: what the lessons in ``notebooks/`` ask and how answers are checked; copying and rendering them."""

from workbench.course.linked import controls

__all__ = ["controls"]
