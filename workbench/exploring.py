"""Widgets for notebook cells: ``explore(reading)``, and ``explore.relations(reading)`` for a view by its name.

They are as live as on the app's pages: where the model that read the face is at hand, the person covers a part of the
face and Python reads it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.axes import own
from workbench.errors import ImageError, WorkbenchError
from workbench.figures.sheet import picture
from workbench.reading import Reading, paths_of, read, shelf_model
from workbench.views import VIEWS, Offer, View, get_view, offer_of

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel
    from workbench.widgets import JupyterWidget, Payload

_OWN_COVER = ("uncertainty", "occlusion")
"""Views whose payload takes the occluder itself."""
_COVERED = ("relations", "self_attention", "inside")
"""Views that show any reading under an occluder."""


class Explore:
    """The widgets by the names of their views; ``dir`` and the Tab key list them."""

    def __call__(self, reading: Reading, **options: Any) -> JupyterWidget:
        """What there is to explore in a reading: its own attention or mechanism, else all that it recorded.

        Args:
            reading: from ``read``, ``compare``, ``find_shape`` or ``attribution.attributed``.
            options: as for the views.

        Raises:
            TraceError: the reading recorded nothing, and its model is not at hand.
        """
        model = options.pop("model", None) or _of_shelf(reading)
        return self._show(_best(reading, model), reading, model=model, **options)

    def __getattr__(self, name: str) -> Callable[..., JupyterWidget]:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            view = get_view(name)
        except WorkbenchError as error:
            raise AttributeError(str(error)) from None
        show = partial(self._show, view)
        show.__doc__ = f"{view.sentence} {_OPTIONS}"
        return show

    def __dir__(self) -> list[str]:
        return list(VIEWS)

    def __repr__(self) -> str:
        return "explore(reading), or by view: " + ", ".join(f"explore.{name}(reading)" for name in VIEWS)

    def _show(
        self, view: View, reading: Any, *others: Any, model: FaceModel | None = None, **selection: Any
    ) -> JupyterWidget:
        from workbench.widgets import JupyterWidget, pack

        if view.name == "shape":
            return _editor(reading, model)
        listed = [*reading, *others] if isinstance(reading, list | tuple) else [reading, *others]
        listed = [_fitted(view, one, model or _of_shelf(one)) for one in listed]
        first, given = listed[0], listed if len(listed) > 1 else listed[0]
        seer = _seer(view, given, model)
        tap = {"tap": selection.pop("tap")} if "tap" in selection else {}

        def made(cover: Mapping[str, Any], mode: str, chosen: Mapping[str, Any]) -> Payload:
            return _payload(view, given, {**chosen, **tap}, cover, mode, seer)

        widget = JupyterWidget(view.name, made({}, "with", selection), still=lambda: _still(view, first, selection))
        last: dict[str, Any] = {"asked": ({}, "with")}

        def changed(_: Any) -> None:
            state = widget.state
            asked = (dict(state.get("occluder") or {}), str((state.get("shown") or {}).get("mode", "with")))
            if asked == last["asked"]:
                return
            last["asked"] = asked
            widget.packed = pack(made(*asked, state.get("selection") or {}))

        if seer is not None:
            widget.observe(changed, "state")
        return widget


_OPTIONS = """

Args:
    reading: from ``read``; a list of two where the view shows two.
    model: that read it; by default the one of the shelf with the same weights. With it the widget reads the face again
        when a part of it is covered.
    selection: entries to start from, such as ``stage``, ``layer``, ``head`` or ``landmark``."""
explore = Explore()
"""The widgets, by the names of their views."""


def _best(reading: Reading, model: FaceModel | None) -> View:
    """The view that a reading was made for, or that shows what is its system's own."""
    from workbench.attribution import AttributionReading
    from workbench.effects import EffectReading
    from workbench.tracking import FilmReading

    for kind, name in ((EffectReading, "effect"), (AttributionReading, "attribution"), (FilmReading, "tracking")):
        if isinstance(reading, kind):
            return VIEWS[name]
    if model is not None and not reading.trace:
        offer = offer_of(model)
    else:
        answer = vars(reading.alignment)
        offer = Offer(
            frozenset(own(entry.axes) for entry in reading.trace.values()),
            frozenset(name for name, value in answer.items() if value is not None),
        )
    known = (view for view in VIEWS.values() if (view.needs.axes or view.needs.parts) and view.name != "structure")
    return next((view for view in known if view.needs.met_by(offer)), VIEWS["inside"])


def _fitted(view: View, reading: Reading, model: FaceModel | None) -> Reading:
    """The reading, or another of the same face that records what the view shows, where the model is at hand."""
    if type(reading) is not Reading or "edits" in reading.trace.meta or model is None:
        return reading
    wanted = paths_of(model, view.recorded) if view.needs.axes or view.also else []
    if set(wanted) <= set(reading.trace) and (reading.trace or not view.needs.taps):
        return reading
    return read(model, reading.face, taps=(*reading.trace, *wanted) or None)


def _seer(view: View, given: Any, model: FaceModel | None) -> Callable[[Mapping[str, Any], Reading], Reading] | None:
    """How a covered face is read again: by the model at hand; None where it is not, or the view shows no occluder."""
    if view.name not in (*_OWN_COVER, *_COVERED):
        return None
    readings = _listed(given)
    models = {id(one): model or _of_shelf(one) for one in readings}
    if None in models.values() or any("edits" in one.trace.meta for one in readings):
        return None
    kept: dict[tuple[Any, ...], Reading] = {}

    def see(cover: Mapping[str, Any], plain: Reading) -> Reading:
        key = (*sorted(cover.items()), id(plain))
        if key not in kept:
            face = plain.face.occlude(cover["x"], cover["y"], cover["w"], cover["h"], cover.get("fill", "grey"))
            found = models[id(plain)]
            assert found is not None
            kept[key] = read(found, face, taps=tuple(plain.trace))
        return kept[key]

    return see


def _of_shelf(reading: Reading) -> FaceModel | None:
    """The shipped model with the weights that made a reading."""
    weights = reading.trace.meta.get("checkpoint")
    try:
        model = shelf_model(reading.model_name) if weights else None
    except WorkbenchError:
        return None
    return model if model is not None and model.checkpoint == weights else None


def _payload(
    view: View, given: Any, selection: Mapping[str, Any], cover: Mapping[str, Any], mode: str, seer: Any
) -> Payload:
    from workbench.widgets import occlusion_payload, uncertainty_payload
    from workbench.widgets.covered import covered_payload
    from workbench.widgets.self_attention import panel_of, self_attention_payload

    readings = _listed(given)
    try:
        seen = [seer(cover, one) if cover and seer else one for one in readings]
    except (ImageError, KeyError, TypeError, ValueError):
        seen, cover = list(readings), {}
    first, plain = seen[0], readings[0]
    if view.name in _OWN_COVER:
        build = uncertainty_payload if view.name == "uncertainty" else occlusion_payload
        before = plain if cover else None
        return build(first, cover or None, before, selection=selection, live=seer is not None)
    if view.name == "self_attention":
        shown = list(readings) if mode == "without" else seen
        panels = [panel_of(one) for one in shown]
        if cover and mode == "difference":
            panels = [replace(panel, minus=one) for panel, one in zip(panels, readings, strict=True)]
        made = self_attention_payload(panels, selection)
    else:
        made = view.payload(_shown(given, first, plain, cover, mode), selection)
    if seer is None:
        return made
    return covered_payload(made, plain, first, cover, mode, lines=view.name != "self_attention")


def _listed(given: Any) -> list[Reading]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _shown(given: Any, seen: Reading, plain: Reading, cover: Mapping[str, Any], mode: str) -> Any:
    from workbench.effects import difference

    if not cover or mode == "without":
        return given
    return difference(seen, plain) if mode == "difference" else seen


def _still(view: View, reading: Reading, selection: Mapping[str, Any]) -> bytes | None:
    """The view's figure as a picture, for where no kernel runs; None where it has none of a kind that can be saved."""
    figure = view.figures[0]
    options = {figure.options[k]: v for k, v in selection.items() if k in figure.options}
    try:
        return picture(figure.make(reading, **options))
    except WorkbenchError:
        return None


def _editor(face: Face | Reading, model: FaceModel | None) -> JupyterWidget:
    from workbench.widgets import shape_editor

    return shape_editor(model or shelf_model("tufa"), face.face if isinstance(face, Reading) else face)
