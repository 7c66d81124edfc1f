/* A rectangle that a person moves, resizes and nudges. A rectangle is [x0, y0, x1, y1] in any unit; limits are
{bounds: [x0, y0, x1, y1] | null, min, square}. */

import { between } from "./geometry.js";
import { el } from "./page.js";

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/**
 * Moved, its size kept; with bounds it stays inside.
 * @param {number[]} rect
 * @param {number} dx
 * @param {number} dy
 * @param {{ bounds?: number[] | null }} [limits]
 */
export function moveRect([x0, y0, x1, y1], dx, dy, { bounds = null } = {}) {
  const b = bounds || [-Infinity, -Infinity, Infinity, Infinity];
  const u = between(x0 + dx, b[0], Math.max(b[0], b[2] - (x1 - x0)));
  const v = between(y0 + dy, b[1], Math.max(b[1], b[3] - (y1 - y0)));
  return [u, v, u + x1 - x0, v + y1 - y0];
}

/* One handle ("nw" .. "w") moved by dx, dy; the opposite side stays, nothing flips, at least `min` remains. */
export function resizeRect(rect, handle, dx, dy, { bounds = null, min = 0, square = false } = {}) {
  if (square) return resizeSquare(rect, handle, dx, dy, { bounds, min });
  const b = bounds || [-Infinity, -Infinity, Infinity, Infinity];
  const out = [...rect];
  if (handle.includes("w")) out[0] = between(rect[0] + dx, b[0], rect[2] - min);
  if (handle.includes("e")) out[2] = between(rect[2] + dx, rect[0] + min, b[2]);
  if (handle.includes("n")) out[1] = between(rect[1] + dy, b[1], rect[3] - min);
  if (handle.includes("s")) out[3] = between(rect[3] + dy, rect[1] + min, b[3]);
  return out;
}

/* A corner grows from the opposite corner, an edge from the middle of the opposite edge. */
function resizeSquare([x0, y0, x1, y1], handle, dx, dy, { bounds, min }) {
  const b = bounds || [-Infinity, -Infinity, Infinity, Infinity];
  const sx = handle.includes("w") ? -1 : handle.includes("e") ? 1 : 0;
  const sy = handle.includes("n") ? -1 : handle.includes("s") ? 1 : 0;
  const now = x1 - x0;
  const grow = sx && sy ? (sx * dx + sy * dy) / 2 : sx * dx + sy * dy;
  const ax = sx > 0 ? x0 : sx < 0 ? x1 : (x0 + x1) / 2;
  const ay = sy > 0 ? y0 : sy < 0 ? y1 : (y0 + y1) / 2;
  const room = (a, s, lo, hi) => (s > 0 ? hi - a : s < 0 ? a - lo : 2 * Math.min(a - lo, hi - a));
  const side = between(now + grow, min, Math.max(min, Math.min(room(ax, sx, b[0], b[2]), room(ay, sy, b[1], b[3]))));
  const left = sx > 0 ? ax : sx < 0 ? ax - side : ax - side / 2;
  const top = sy > 0 ? ay : sy < 0 ? ay - side : ay - side / 2;
  return [left, top, left + side, top + side];
}

/**
 * The rectangle between two corners, cut at the bounds.
 * @type {(a: number[], b: number[], limits?: { bounds?: number[] | null }) => number[]}
 */
export function spanRect([ax, ay], [bx, by], { bounds = null } = {}) {
  const b = bounds || [-Infinity, -Infinity, Infinity, Infinity];
  const [u, v, p, q] = [
    between(ax, b[0], b[2]),
    between(ay, b[1], b[3]),
    between(bx, b[0], b[2]),
    between(by, b[1], b[3]),
  ];
  return [Math.min(u, p), Math.min(v, q), Math.max(u, p), Math.max(v, q)];
}

/* An arrow key moves by `step`, with shift it moves the lower right corner; null for other keys. */
export function nudgeRect(rect, key, shift, step, limits) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!way) return null;
  const [dx, dy] = way.map((k) => k * step);
  if (!shift) return moveRect(rect, dx, dy, limits);
  if (!limits.square) return resizeRect(rect, dx ? "e" : "s", dx, dy, limits);
  return resizeRect(rect, "se", dx + dy, dx + dy, limits);
}

/** @type {(rect: number[], p: number[]) => boolean} */
export const insideRect = ([x0, y0, x1, y1], [x, y]) => x >= x0 && x <= x1 && y >= y0 && y <= y1;

/**
 * Index of the smallest rectangle that holds p, or -1.
 * @type {(rects: number[][], p: number[]) => number}
 */
export function smallestAt(rects, p) {
  let best = -1;
  let least = Infinity;
  rects.forEach((r, i) => {
    const area = (r[2] - r[0]) * (r[3] - r[1]);
    if (insideRect(r, p) && area < least) {
      best = i;
      least = area;
    }
  });
  return best;
}

/* Sends what is offered while something is dragged: never oftener than `gap` ms, and not before the last one was
answered (or `patience` ms went by), so that a slow answer is not overtaken by questions. A final one goes at once. */
export function pacer(
  send,
  { gap = 120, patience = 1500, now = () => performance.now(), later = setTimeout, never = clearTimeout } = {},
) {
  let sent = -Infinity;
  let asked = false;
  let waiting = null;
  let timer = null;
  const go = (value) => {
    never(timer);
    timer = waiting = null;
    sent = now();
    asked = true;
    send(value);
  };
  const due = () => sent + (asked ? patience : gap) - now();
  function check() {
    never(timer);
    timer = null;
    if (!waiting) return;
    const rest = due();
    if (rest <= 0) go(waiting[0]);
    else timer = later(check, rest);
  }
  return {
    offer(value, final = false) {
      if (final) go(value);
      else {
        waiting = [value];
        check();
      }
    },
    answered() {
      asked = false;
      check();
    },
    stop() {
      never(timer);
      timer = waiting = null;
    },
  };
}

/* Page ---------------------------------------------------------------------------------------------------- */

export const RECT_STYLE = `
.wb [hidden] {
  display: none !important;
}
.wb-face {
  user-select: none;
  -webkit-user-select: none;
}
.wb-rect {
  position: absolute;
  cursor: move;
  touch-action: none;
  box-shadow:
    0 0 0 1.5px #fff,
    0 0 0 2.5px rgb(0 0 0 / 0.55);
}
.wb .wb-rect:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 4px;
}
.wb-rect b {
  position: absolute;
  width: 26px;
  height: 26px;
  margin: -13px;
  touch-action: none;
  display: grid;
  place-items: center;
}
.wb-rect b::before {
  content: "";
  width: 10px;
  height: 10px;
  border-radius: 2px;
  background: #fff;
  box-shadow:
    0 0 0 1px rgb(0 0 0 / 0.6),
    0 1px 4px rgb(0 0 0 / 0.4);
}
.wb-rect b:is([data-at="n"], [data-at="s"])::before {
  width: 16px;
  height: 7px;
}
.wb-rect b:is([data-at="e"], [data-at="w"])::before {
  width: 7px;
  height: 16px;
}
.wb-rect.small b:is([data-at="n"], [data-at="s"], [data-at="e"], [data-at="w"]) {
  display: none;
}
.wb-rect b[data-at*="n"] {
  top: 0;
}
.wb-rect b[data-at*="s"] {
  top: 100%;
}
.wb-rect b:is([data-at="e"], [data-at="w"]) {
  top: 50%;
}
.wb-rect b[data-at*="w"] {
  left: 0;
}
.wb-rect b[data-at*="e"] {
  left: 100%;
}
.wb-rect b:is([data-at="n"], [data-at="s"]) {
  left: 50%;
}
.wb-rect b:is([data-at="nw"], [data-at="se"]) {
  cursor: nwse-resize;
}
.wb-rect b:is([data-at="ne"], [data-at="sw"]) {
  cursor: nesw-resize;
}
.wb-rect b:is([data-at="n"], [data-at="s"]) {
  cursor: ns-resize;
}
.wb-rect b:is([data-at="e"], [data-at="w"]) {
  cursor: ew-resize;
}
`;

/* A frame with eight handles over `parent` (positioned). get() -> rectangle | null in units; px(p) and unit(p) between
units and pixels of the parent; limits() as above; step() of a key press, in units; change(rect, final); remove() on
Delete. Its `busy` is true while it is dragged, `moved` until the click that ends a drag has passed. */
export function rectEditor(parent, { label, get, px, unit, limits, step, change, remove = null }) {
  const node = el("div", {
    class: "wb-rect",
    tabindex: 0,
    role: "group",
    "aria-roledescription": "movable rectangle",
    "aria-label": label,
  });
  node.append(...HANDLES.map((at) => el("b", { "data-at": at, "aria-hidden": "true" })));
  parent.append(node);
  const self = { node, place, busy: false, moved: false };
  let grip = null;
  const at = (event) => {
    const box = parent.getBoundingClientRect();
    return unit([event.clientX - box.left, event.clientY - box.top]);
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button || !get()) return;
    event.preventDefault(); // no text is selected: dragging a selection would cancel the pointer
    node.focus({ preventScroll: true });
    node.setPointerCapture(event.pointerId);
    grip = { from: at(event), x: event.clientX, y: event.clientY, rect: get(), handle: event.target.dataset.at };
    self.moved = false;
  });
  const drag = (event) => {
    if (!grip) return;
    if (!self.busy && Math.hypot(event.clientX - grip.x, event.clientY - grip.y) < 3) return;
    self.busy = self.moved = true;
    event.stopPropagation();
    const [x, y] = at(event);
    const dx = x - grip.from[0];
    const dy = y - grip.from[1];
    change(
      grip.handle ? resizeRect(grip.rect, grip.handle, dx, dy, limits()) : moveRect(grip.rect, dx, dy, limits()),
      false,
    );
    place();
  };
  const drop = (event) => {
    if (event.type === "pointerup") drag(event); // a busy page may have skipped the last moves
    const was = self.busy;
    grip = null;
    self.busy = false;
    if (was) {
      change(get(), true);
      setTimeout(() => {
        self.moved = false;
      }, 0);
    }
  };
  node.addEventListener("pointermove", drag);
  node.addEventListener("pointerup", drop);
  node.addEventListener("pointercancel", drop);
  node.addEventListener("keydown", (event) => {
    if ((event.key === "Delete" || event.key === "Backspace") && remove) {
      remove();
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const next = get() && nudgeRect(get(), event.key, event.shiftKey, step() * (event.altKey ? 0.2 : 1), limits());
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    change(next, false);
    place();
  });
  node.addEventListener("keyup", (event) => {
    if (event.key.startsWith("Arrow") && get()) change(get(), true);
  });
  function place() {
    const rect = get();
    node.hidden = !rect;
    if (!rect) return;
    const [x0, y0] = px([rect[0], rect[1]]);
    const [x1, y1] = px([rect[2], rect[3]]);
    node.classList.toggle("small", Math.min(x1 - x0, y1 - y0) < 64);
    Object.assign(node.style, { left: `${x0}px`, top: `${y0}px`, width: `${x1 - x0}px`, height: `${y1 - y0}px` });
  }
  return self;
}
