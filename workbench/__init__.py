"""workbench: see why a face-alignment network puts a landmark where it does.

>>> import workbench as wb
>>> reading = wb.read(wb.load_model("dslpt"), wb.sample_face("astronaut"))
>>> wb.figures.relations(reading, stage=-1, layer=0)  # a Plotly figure
"""

from workbench.lazy import attach_stub

__version__ = "0.1.0"

# What there is stands in __init__.pyi. Lazy, so that `workbench --help` does not wait for torch.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
