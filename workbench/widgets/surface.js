/* A crisp canvas in the page, and pictures for it. */

import { el } from "./page.js";

/**
 * A crisp canvas as wide as its parent.
 * @param {Element} parent
 * @param {{ label: string, ratio?: number | ((width: number) => number),
 *   draw: (ctx: any, w: number, h: number) => void }} options ratio: height over width, or the height of a width
 */
export function surface(parent, { label, ratio = 1, draw }) {
  const canvas = el("canvas", { role: "img", "aria-label": label, tabindex: 0 });
  parent.append(canvas);
  const self = { canvas, width: 0, height: 0, paint, at, close };
  let waiting = 0;
  function render() {
    waiting = 0;
    if (!self.width) return;
    const dpr = Math.max(1, globalThis.devicePixelRatio || 1);
    const w = Math.round(self.width * dpr);
    const h = Math.round(self.height * dpr);
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, self.width, self.height);
    draw(ctx, self.width, self.height);
  }
  function paint() {
    if (!waiting) waiting = requestAnimationFrame(render);
  }
  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  const watch = new ResizeObserver(() => {
    const width = canvas.clientWidth;
    const height = Math.round(typeof ratio === "function" ? ratio(width) : width * ratio);
    if (!width) return;
    canvas.style.height = `${height}px`;
    self.width = width;
    self.height = height;
    paint();
  });
  watch.observe(canvas);
  function close() {
    watch.disconnect();
    cancelAnimationFrame(waiting);
    canvas.remove();
  }
  return self;
}

/** Bytes of a picture; `done` gets the bitmap, and nothing happens to broken ones. */
export function loadImage(bytes, done) {
  if (!bytes) return;
  createImageBitmap(new Blob([bytes])).then(done, () => {});
}
