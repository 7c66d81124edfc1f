/* The pointer of the Shape editor, on the face plane and on the photograph: points are chosen one by one or by a
rectangle, dragged, turned and scaled, and drawn by the tool in hand. What is drawn on the photograph is mapped back to
the plane. */

import { between } from "./geometry.js";
import { boundsOf, handlesOf, photoView, planeView } from "./shape_drawing.js";
import { gap } from "./shape_edits.js";
import { BOXED, CLICKED, CLOSES, strokePoints } from "./shape_strokes.js";
import { addPoints, mirror, moveTwins, snapped, turned, twinOf } from "./shape_tools.js";

const TWICE_MS = 400; // between the two taps of a double click
const NEAR = 12; // pixels between them
const STILL = 2; // pixels that a pointer may move without dragging
const SNAP = 0.02;

/**
 * @param {any} v what is shown (shape_drawing.js)
 * @param {ReturnType<typeof import("./surface.js").surface>} on
 * @param {"plane" | "photo"} where
 * @param {any} acts
 */
export function listenTo(v, on, where, acts) {
  const { hit, reach, point, unpoint, edited, refresh, live, say, hideTip } = acts;
  const { canvas } = on;
  const onPlane = where === "plane";
  const view = () => (onPlane ? planeView : photoView)(v, on.width, on.height);
  const lo = -v.meta.reach;
  const hi = 1 + v.meta.reach;
  /* Where a pixel lies on the plane; null on a photograph that cannot be mapped back. */
  const planePlace = (p) => {
    const at = view().unit(p);
    const place = onPlane ? at : v.back(at);
    return place?.map((x) => between(x, lo, hi));
  };
  /** @type {any} {kind, before, from, base, moved}: the drawing before, where it began, what is moved from there */
  let drag = null;
  let lastTap = null;
  const listen = (name, f, options = {}) => canvas.addEventListener(name, f, options);
  function setDrag(next) {
    drag = next;
    v.dragged = Boolean(next);
  }
  const drawing = () => v.tool !== "select";
  const snap = (place) => (v.snap ? snapped(place, v.meta.anchors, SNAP) : place);

  // A finger on a point drags it, with a tool in hand it draws, elsewhere it scrolls the page.
  listen(
    "touchstart",
    (event) => {
      const p = on.at(event.touches[0]);
      const draws = drawing() && !correcting();
      if (v.meta.live && (draws || hit(where, p, 24) != null || handle(p))) event.preventDefault();
    },
    { passive: false },
  );
  const handle = (p) => (onPlane ? handlesOf(v, view()).find((h) => gap(h.at, p) < 11) : null);

  /* Correcting: a point of the photograph goes to where it belongs there; the plane stays as it is. */
  let marking = null;
  const correcting = () => !onPlane && v.correct;
  listen("pointerdown", (event) => {
    if (!correcting() || event.button) return;
    const p = on.at(event);
    const id = hit(where, p, reach(event));
    if (id == null) return;
    canvas.setPointerCapture(event.pointerId);
    hideTip();
    marking = { id, before: v.marks, at: p };
  });
  listen("pointermove", (event) => {
    if (!marking) return;
    const p = on.at(event);
    if (Math.hypot(p[0] - marking.at[0], p[1] - marking.at[1]) < STILL && v.marks === marking.before) return;
    const place = view().unit(p);
    v.marks = new Map(v.marks).set(
      marking.id,
      place.map((x) => between(x, lo, hi)),
    );
    canvas.style.cursor = "grabbing";
    acts.paint();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    listen(name, (event) => {
      if (!marking) return;
      if (event.type === "pointercancel") v.marks = marking.before;
      const moved = v.marks !== marking.before;
      marking = null;
      if (moved) acts.mark(v.marks);
      else refresh();
    });
  }

  listen("pointerdown", (event) => {
    if (!v.meta.live || event.button || correcting()) return;
    const p = on.at(event);
    const place = planePlace(p);
    const id = hit(where, p, reach(event));
    const now = event.timeStamp;
    const twice =
      lastTap && now - lastTap.now < TWICE_MS && Math.hypot(p[0] - lastTap.p[0], p[1] - lastTap.p[1]) < NEAR;
    lastTap = id == null || drawing() ? { now, p } : null;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    hideTip();
    if (!place) return;
    const grip = drawing() ? null : handle(p);
    if (CLICKED[v.tool]) corner(snap(place), twice);
    else if (v.tool === "freehand" || BOXED[v.tool]) v.stroke = [snap(place)];
    else if (grip) {
      const [cx, cy] = boundsOf(v).middle;
      setDrag({ kind: grip.kind, before: v.drawing, from: place, base: v.drawing, middle: [cx, cy], moved: false });
    } else if (v.tool === "add" && id == null) grow(snap(place));
    else if (id == null && (twice || !v.drawing.points.length)) grow(snap(place));
    else if (id != null) {
      choose(id, event.shiftKey);
      setDrag({ kind: "move", before: v.drawing, from: place, base: v.drawing, id, moved: false, twins: twinsOf() });
    } else if (event.pointerType !== "touch" && onPlane) v.band = [place, place];
    else v.chosen.clear();
    refresh();
  });
  function twinsOf() {
    if (!v.mirror) return new Set();
    const template = v.meta.templates[v.drawing.template]?.face;
    const found = [...v.chosen].map((id) => twinOf(v.drawing, id, v.meta.axis, template));
    return new Set(found.filter((id) => id != null && !v.chosen.has(id)));
  }
  function grow(place) {
    const before = v.drawing;
    const next = put({ places: [place], group: null });
    if (!next) return;
    v.drawing = next.drawing;
    lastTap = null;
    setDrag({ kind: "move", before, from: place, base: v.drawing, id: next.ids[0], moved: true, twins: twinsOf() });
  }
  /* The drawing with some points more, and their mirror images with live mirror; null when it is full. */
  function put({ places, group }) {
    const first = addPoints(v.drawing, places, v.meta.most, group);
    if (!first.ids.length) {
      say(`a shape has at most ${v.meta.most} points`);
      return null;
    }
    if (first.ids.length < places.length) say(`a shape has at most ${v.meta.most} points; the rest is left out`);
    v.chosen = new Set(first.ids);
    const other = places.map((p) => mirror(p, v.meta.axis));
    const apart = other.some((p, k) => gap(p, places[k]) > 0.01) && !places.some((p) => gap(p, other[0]) < 0.005);
    if (!v.mirror || !apart) return first;
    const name = group && { ...group, name: `${group.name}, mirrored` };
    return { drawing: addPoints(first.drawing, other, v.meta.most, name).drawing, ids: first.ids };
  }
  function choose(id, more) {
    const group = v.drawing.groups.find((g) => g.ids.includes(id));
    if (!more) {
      if (!v.chosen.has(id)) v.chosen = new Set([id]);
    } else if (!v.chosen.delete(id)) v.chosen.add(id);
    v.lastGroup = group?.name ?? "";
  }
  function corner(place, twice) {
    v.stroke = v.stroke || [];
    const closes = v.stroke.length > 2 && gap(place, v.stroke[0]) < CLOSES;
    if (twice || closes) {
      v.closing = closes;
      acts.finish();
    } else v.stroke = [...v.stroke, place];
  }
  acts.finish = () => {
    const made = strokePoints(v);
    const enough = v.tool !== "freehand" || (v.stroke?.length ?? 0) > 2;
    v.stroke = null;
    if (!made || !enough) return refresh();
    const before = v.drawing;
    const next = put(made);
    v.closing = false;
    if (next) edited(next.drawing, before);
    else refresh();
  };

  listen("pointermove", (event) => {
    if (marking) return;
    const p = on.at(event);
    const place = planePlace(p);
    if (!place) return point(where, event);
    if (drag) {
      const [dx, dy] = place.map((x, k) => x - drag.from[k]);
      if (!drag.moved && Math.hypot(dx, dy) * view().scale < STILL) return;
      drag.moved = true;
      v.drawing = moved(place, dx, dy, event);
      canvas.style.cursor = "grabbing";
      acts.paint();
      live();
    } else if (v.stroke && !CLICKED[v.tool]) {
      const box = event.shiftKey && BOXED[v.tool] ? square(v.stroke[0], place) : place;
      v.stroke = v.tool === "freehand" ? [...v.stroke, place] : [v.stroke[0], snap(box)];
      acts.paint();
    } else if (v.stroke) {
      v.pointer = place;
      acts.paint();
    } else if (v.band) {
      v.band = [v.band[0], place];
      acts.paint();
    } else point(where, event);
  });
  const square = ([x0, y0], [x1, y1]) => {
    const side = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
    return [x0 + Math.sign(x1 - x0) * side, y0 + Math.sign(y1 - y0) * side];
  };
  function moved(place, dx, dy, event) {
    const { kind, base, from, middle } = drag;
    if (kind === "move") {
      if (v.snap && v.chosen.size === 1) {
        const at = base.points[base.ids.indexOf(drag.id)];
        const to = snap([at[0] + dx, at[1] + dy]);
        return moveTwins(base, v.chosen, drag.twins, to[0] - at[0], to[1] - at[1], lo, hi);
      }
      return moveTwins(base, v.chosen, drag.twins, dx, dy, lo, hi);
    }
    const turn = ([x, y]) => Math.atan2(y - middle[1], x - middle[0]);
    const angle = kind === "turn" ? turn(place) - turn(from) : 0;
    const step = Math.PI / 12;
    const by = kind === "scale" ? Math.max(0.05, gap(place, middle) / (gap(from, middle) || 1)) : 1;
    return turned(base, v.chosen, event.shiftKey ? Math.round(angle / step) * step : angle, by, [lo, hi]);
  }

  const letGo = (event) => {
    if (drag) {
      const { before, moved: was } = drag;
      const next = v.drawing;
      setDrag(null);
      v.drawing = before;
      if (event.type === "pointercancel" || !was) refresh();
      else edited(next, before);
    } else if (v.stroke && !CLICKED[v.tool]) {
      if (event.type === "pointercancel" || v.stroke.length < 2) {
        v.stroke = null;
        refresh();
      } else acts.finish();
    } else if (v.band) {
      const [a, b] = v.band;
      const within = (p) => [0, 1].every((k) => p[k] >= Math.min(a[k], b[k]) && p[k] <= Math.max(a[k], b[k]));
      const inside = v.drawing.ids.filter((_, i) => within(v.drawing.points[i]));
      v.chosen = new Set(event.shiftKey ? [...v.chosen, ...inside] : inside);
      v.band = null;
      refresh();
    }
  };
  listen("pointerup", letGo);
  listen("pointercancel", letGo);
  listen("pointerleave", () => {
    if (!drag) unpoint();
  });
  if (!onPlane) return;
  listen(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        acts.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, view().unit(on.at(event)));
      } else if (v.view) {
        event.preventDefault();
        acts.pan(event.deltaX / view().scale, event.deltaY / view().scale);
      }
    },
    { passive: false },
  );
}
