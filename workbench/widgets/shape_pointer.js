/* The pointer on the face plane: points are added, chosen one by one or by a rectangle, and dragged. */

import { between } from "./geometry.js";
import { planeView } from "./shape_drawing.js";
import { addPoint, movePoints } from "./shape_edits.js";

const TWICE_MS = 400; // between the two taps of a double click
const NEAR = 12; // pixels between them
const STILL = 2; // pixels that a pointer may move without dragging

/**
 * @param {any} v what is shown (shape_drawing.js)
 * @param {ReturnType<typeof import("./surface.js").surface>} plane
 * @param {any} acts
 */
export function listenToPlane(v, plane, { hit, reach, point, unpoint, edited, refresh, say, hideTip }) {
  const { canvas } = plane;
  const view = () => planeView(v, plane.width, plane.height);
  /** @type {any} {before, from, base, moved}: the drawing before, where it began, what is moved from there */
  let drag = null;
  let lastTap = null;
  const listen = (name, f) => canvas.addEventListener(name, f);
  function setDrag(next) {
    drag = next;
    v.dragged = Boolean(next);
  }

  // A finger on a point drags it, elsewhere it scrolls the page.
  const onTouch = (event) => {
    const onPoint = hit("plane", plane.at(event.touches[0]), 24) != null;
    if (v.meta.live && (v.adding || onPoint)) event.preventDefault();
  };
  canvas.addEventListener("touchstart", onTouch, { passive: false });

  listen("pointerdown", (event) => {
    if (!v.meta.live || event.button) return;
    const p = plane.at(event);
    const place = view().unit(p);
    const id = hit("plane", p, reach(event));
    const now = event.timeStamp;
    const twice =
      lastTap && now - lastTap.now < TWICE_MS && Math.hypot(p[0] - lastTap.p[0], p[1] - lastTap.p[1]) < NEAR;
    lastTap = id == null ? { now, p } : null;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    hideTip();
    if (id == null && (v.adding || twice || !v.drawing.points.length)) {
      if (!grow(place)) return;
    } else if (id != null) {
      choose(id, event.shiftKey);
      setDrag({ before: v.drawing, from: place, base: v.drawing, moved: false });
    } else if (event.pointerType !== "touch") v.band = [place, place];
    else v.chosen.clear();
    refresh();
  });
  function grow(place) {
    const before = v.drawing;
    const inside = place.map((x) => between(x, v.span[0], v.span[1]));
    const next = addPoint(before, inside, v.meta.most);
    if (next === before) {
      say(`a shape has at most ${v.meta.most} points`);
      return false;
    }
    v.drawing = next;
    v.chosen = new Set([next.ids.at(-1)]);
    lastTap = null;
    setDrag({ before, from: place, base: next, moved: true });
    return true;
  }
  function choose(id, more) {
    if (!more) {
      if (!v.chosen.has(id)) v.chosen = new Set([id]);
    } else if (!v.chosen.delete(id)) v.chosen.add(id);
  }

  listen("pointermove", (event) => {
    const place = view().unit(plane.at(event));
    if (drag) {
      const [dx, dy] = place.map((x, k) => x - drag.from[k]);
      if (!drag.moved && Math.hypot(dx, dy) * view().scale < STILL) return;
      drag.moved = true;
      v.drawing = movePoints(drag.base, v.chosen, dx, dy, v.span[0], v.span[1]);
      canvas.style.cursor = "grabbing";
      plane.paint();
    } else if (v.band) {
      v.band = [v.band[0], place];
      plane.paint();
    } else point("plane", event);
  });

  const letGo = (event) => {
    if (drag) {
      const { before, moved } = drag;
      const next = v.drawing;
      setDrag(null);
      v.drawing = before;
      if (event.type === "pointercancel" || !moved) refresh();
      else edited(next, before);
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
}
