/* A crisp canvas in the page, and pictures for it. */

import { el } from "./page.js";
import { zoomer } from "./zoom.js";

/**
 * A crisp canvas as wide as its parent.
 * @param {Element} parent
 * @param {{ label: string, ratio?: number | ((width: number) => number),
 *   below?: () => number, draw: (ctx: any, w: number, h: number) => void }} options ratio: height over width, or the
 *   height of a width; below: pixels under a face that can be looked at more closely (zoom.js), such as its legend's
 */
export function surface(parent, { label, ratio = 1, draw, below }) {
  // It answers to keys, which a mere picture does not.
  const canvas = el("canvas", { role: "application", "aria-label": label, tabindex: 0 });
  parent.append(canvas);
  const self = { canvas, width: 0, height: 0, paint, at, fit, close };
  const zoom = below && zoomer(canvas, () => [self.width, self.height - below()], paint);
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
    if (!zoom || zoom.now.scale === 1) {
      draw(ctx, self.width, self.height);
      return;
    }
    const { scale, x, y } = zoom.now;
    const face = self.height - below();
    draw(ctx, self.width, self.height); // for what stands below the face
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, 0, self.width, face);
    ctx.clip();
    ctx.clearRect(0, 0, self.width, face);
    ctx.scale(scale, scale);
    ctx.translate(-x, -y);
    ctx.part = { scale, left: x, top: y };
    draw(ctx, self.width, self.height);
    delete ctx.part;
    ctx.restore();
  }
  function paint() {
    if (!waiting) waiting = requestAnimationFrame(render);
  }
  function at(event) {
    const box = canvas.getBoundingClientRect();
    const place = [event.clientX - box.left, event.clientY - box.top];
    return zoom ? zoom.whole(place) : place;
  }
  /* Takes the width that there is and the height that follows; call it when `ratio` would give another. */
  function fit() {
    const width = canvas.clientWidth;
    const height = Math.round(typeof ratio === "function" ? ratio(width) : width * ratio);
    if (!width) return;
    canvas.style.height = `${height}px`;
    self.width = width;
    self.height = height;
    paint();
  }
  const watch = new ResizeObserver(fit);
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
