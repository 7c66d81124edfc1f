/* Closer to a face on its canvas: a magnifier over everything that is drawn on it, pointer and keys included. */

import { between } from "./geometry.js";

const MOST = 8;
const STEP = 1.25;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The next part that is shown of w x h pixels: `scale` times as large, from x, y of the whole.
 * @param {{ scale: number, x: number, y: number }} now
 * @param {number} by the factor
 * @param {number[]} at what stays in place, in pixels of the canvas
 * @param {number[]} size [w, h]
 */
export function closer(now, by, at, size) {
  const [px, py] = at;
  const scale = between(now.scale * by, 1, MOST);
  const x = now.x + px / now.scale - px / scale;
  const y = now.y + py / now.scale - py / scale;
  return held({ scale, x, y }, size);
}

/** Kept within the picture. */
export function held({ scale, x, y }, size) {
  const [w, h] = size;
  return { scale, x: between(x, 0, w - w / scale), y: between(y, 0, h - h / scale) };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {() => number[]} size of the part that is magnified
 * @param {() => void} paint
 */
export function zoomer(canvas, size, paint) {
  const self = {
    now: { scale: 1, x: 0, y: 0 },
    /**
     * A pixel of the canvas as one of the whole picture; below the face nothing is magnified.
     * @param {any} place
     */
    whole(place) {
      const [px, py] = place;
      const { scale, x, y } = self.now;
      return scale === 1 || py > size()[1] ? [px, py] : [x + px / scale, y + py / scale];
    },
  };
  const set = (next) => {
    self.now = next;
    canvas.closest(".wb-face")?.classList.toggle("closer", next.scale > 1);
    paint();
  };
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener(
    "wheel",
    (event) => {
      // A wheel alone scrolls the page, unless the face has the focus; a pinch comes as a wheel with Ctrl.
      const asked = event.ctrlKey || event.metaKey || canvas.matches(":focus");
      if (!asked || spot(event)[1] > size()[1]) return;
      const next = closer(self.now, Math.exp(-between(event.deltaY, -60, 60) / 180), spot(event), size());
      if (next.scale === self.now.scale && next.scale === 1) return;
      event.preventDefault();
      set(next);
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [w, h] = size();
    const { now } = self;
    if (event.key === "+" || event.key === "=") set(closer(now, STEP, [w / 2, h / 2], [w, h]));
    else if (event.key === "-" || event.key === "−") set(closer(now, 1 / STEP, [w / 2, h / 2], [w, h]));
    else if (event.key === "0") set({ scale: 1, x: 0, y: 0 });
    else if (event.shiftKey && MOVES[event.key] && now.scale > 1) {
      const [dx, dy] = MOVES[event.key].map((way, k) => (way * [w, h][k]) / now.scale / 8);
      set(held({ ...now, x: now.x + dx, y: now.y + dy }, [w, h]));
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  const touches = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") touches.set(event.pointerId, spot(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!touches.has(event.pointerId)) return;
    const before = [...touches.values()];
    touches.set(event.pointerId, spot(event));
    const after = [...touches.values()];
    if (after.length !== 2) return;
    event.stopImmediatePropagation();
    /** @type {(pair: any) => number} */
    const wide = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    /** @type {(pair: any) => number[]} */
    const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const next = closer(self.now, wide(after) / wide(before), middle(before), size());
    const [dx, dy] = middle(after).map((v, k) => (v - middle(before)[k]) / next.scale);
    set(held({ ...next, x: next.x - dx, y: next.y - dy }, size()));
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"])
    canvas.addEventListener(end, (/** @type {any} */ event) => touches.delete(event.pointerId));
  return self;
}
