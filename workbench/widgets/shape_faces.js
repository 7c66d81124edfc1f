/* The drawing on further faces, and its way from one shape to another. */

import { drawPhoto } from "./draw.js";
import { nearestPoint } from "./geometry.js";
import { el, theme } from "./page.js";
import { drawAnswer, faceView, placesOf } from "./shape_drawing.js";
import { loadImage, surface } from "./surface.js";

const GAP = 6;
const WIDE = 148; // pixels that a face takes at least
const FILM_MS = 130; // a step of the animation

/* How many columns and rows hold n faces in a width. */
export function tiling(n, width) {
  const columns = Math.max(1, Math.min(n, Math.floor((width + GAP) / (WIDE + GAP))));
  const side = Math.max(1, (width - GAP * (columns - 1)) / columns);
  return { columns, rows: Math.ceil(n / columns), side: Math.min(side, 1.7 * WIDE) };
}

/* Where face k stands. */
export function tileOf(k, { columns, side }) {
  return [(k % columns) * (side + GAP), Math.floor(k / columns) * (side + GAP)];
}

/**
 * @param {any} page page.js: frame
 * @param {any} v what is shown (shape_drawing.js)
 * @param {{ hover: (id: number | null, event: any, k: number) => void, images: (name: string) => Uint8Array }} acts
 */
export function gallery(page, v, acts) {
  const holder = el("div", { class: "wb-faces" });
  page.root.querySelector(".wb-stage").after(holder);
  const pictures = [];
  const tiles = () => tiling(v.meta.faces.length, on.width || holder.clientWidth || 600);
  const on = surface(holder, {
    label: "The same drawing on further faces",
    ratio: (width) => {
      const n = v.meta.faces.length;
      const t = tiling(n, width);
      return n ? t.rows * (t.side + GAP) - GAP : 0;
    },
    draw: (ctx, w) => drawTiles(ctx, w),
  });
  function drawTiles(ctx, width) {
    const t = tiling(v.meta.faces.length, width);
    const look = theme(page.root);
    v.meta.faces.forEach((name, k) => {
      const [x, y] = tileOf(k, t);
      ctx.save();
      ctx.translate(x, y);
      ctx.beginPath();
      ctx.rect(0, 0, t.side, t.side);
      ctx.clip();
      const view = faceView(t.side);
      drawPhoto(ctx, view, pictures[k] ?? null, 0.12);
      drawAnswer(ctx, v, look, view, k);
      ctx.font = `11px ${look.font}`;
      ctx.fillStyle = "rgb(0 0 0 / .55)";
      ctx.fillRect(0, t.side - 16, ctx.measureText(name).width + 8, 16);
      ctx.fillStyle = "#fff";
      ctx.fillText(name, 4, t.side - 4);
      ctx.restore();
    });
  }
  on.canvas.addEventListener("pointermove", (event) => {
    const [x, y] = on.at(event);
    const t = tiles();
    const k = Math.floor(y / (t.side + GAP)) * t.columns + Math.floor(x / (t.side + GAP));
    if (k >= v.meta.faces.length || !v.found) return acts.hover(null, event, -1);
    const [x0, y0] = tileOf(k, t);
    const view = faceView(t.side);
    const places = placesOf(v, k);
    const ids = [...places.keys()];
    const near = nearestPoint(
      ids.map((id) => view.px(places.get(id))),
      [x - x0, y - y0],
      12,
    );
    acts.hover(near < 0 ? null : ids[near], event, k);
  });
  on.canvas.addEventListener("pointerleave", (event) => acts.hover(null, event, -1));
  let shown = null;
  return {
    canvas: on.canvas,
    paint: on.paint,
    close: on.close,
    draw: (ctx, w) => drawTiles(ctx, w),
    height: (width) => {
      const t = tiling(v.meta.faces.length, width);
      return t.rows * (t.side + GAP);
    },
    read() {
      holder.hidden = !v.meta.faces.length;
      if (v.meta.pictures !== shown) {
        shown = v.meta.pictures;
        pictures.length = 0;
        v.meta.faces.forEach((_, k) => {
          loadImage(acts.images(`face.${k}`), (bitmap) => {
            pictures[k] = bitmap;
            on.paint();
          });
        });
        on.fit();
      }
      on.paint();
    },
  };
}

/* Plays what the server found for the shapes between two; `paint` is called at every step. */
export function play(v, paint, done) {
  const { film } = v.meta;
  let step = 0;
  const id = setInterval(() => {
    v.step = step;
    step += 1;
    if (step > film.points.length) {
      clearInterval(id);
      v.step = null;
      done();
    }
    paint();
  }, FILM_MS);
  return () => {
    clearInterval(id);
    v.step = null;
  };
}
