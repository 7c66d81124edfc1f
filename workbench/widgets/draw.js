/* The photograph, landmarks, lines and brackets, on any context with Canvas2D's methods. Face coordinates are [0, 1]
of the crop; a `view` (geometry.js: fitFace) takes them to pixels. */

import { placeLabels } from "./geometry.js";

/** @typedef {import("./geometry.js").View} View */

const PHOTO_GROUND = "#101114";
const scaled = new WeakMap();

/**
 * The crop under everything, scaled once for every size.
 * @param {any} ctx
 * @param {View} view
 * @param {ImageBitmap | null} image
 * @param {number} [veil] 0 to 1: darkens it so that thin lines stay readable
 * @param {(ctx: any, view: View) => void} [under] draws on the photograph, below the veil
 */
export function drawPhoto(ctx, view, image, veil = 0, under = () => {}) {
  ctx.fillStyle = PHOTO_GROUND;
  ctx.fillRect(view.x0, view.y0, view.side, view.side);
  if (!image) return;
  const size = Math.max(1, Math.round(view.side * ctx.getTransform().a));
  let kept = scaled.get(image);
  if (kept?.width !== size) {
    kept = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const pen = kept.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0, 0, size, size);
    scaled.set(image, kept);
  }
  ctx.drawImage(kept, view.x0, view.y0, view.side, view.side);
  under(ctx, view);
  if (!veil) return;
  ctx.fillStyle = `rgb(12 12 16 / ${veil})`;
  ctx.fillRect(view.x0, view.y0, view.side, view.side);
}

/**
 * The scheme's polylines.
 * @param {any} ctx
 * @param {View} view
 * @param {number[][]} points
 * @param {any} face from payload.py: face_meta
 * @param {{ alpha?: number, width?: number, colour?: string | null }} [options]
 */
export function drawLines(ctx, view, points, face, { alpha = 0.8, width = 1.2, colour = null } = {}) {
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.lineWidth = width;
  ctx.lineJoin = ctx.lineCap = "round";
  for (const line of face.lines) {
    ctx.strokeStyle = colour || line.colour;
    ctx.beginPath();
    line.path.forEach((i, k) => ctx[k ? "lineTo" : "moveTo"](...view.px(points[i])));
    ctx.stroke();
  }
  ctx.restore();
}

/**
 * @param {any} ctx
 * @param {View} view
 * @param {number[][]} points
 * @param {{ colour: string[] }} face
 * @param {{ radius?: number | ((i: number) => number), alpha?: number | ((i: number) => number), rim?: string | null }}
 *   [options] a dark rim keeps dots apart from any skin
 */
export function drawDots(ctx, view, points, face, { radius = 2.5, alpha = 1, rim = "rgb(0 0 0 / .65)" } = {}) {
  const of = (value, i) => (typeof value === "function" ? value(i) : value);
  ctx.save();
  points.forEach((p, i) => {
    const r = of(radius, i);
    if (!r) return;
    ctx.globalAlpha = of(alpha, i);
    ctx.beginPath();
    ctx.arc(...view.px(p), r, 0, 7);
    ctx.fillStyle = face.colour[i];
    ctx.fill();
    if (rim) {
      ctx.strokeStyle = rim;
      ctx.lineWidth = 0.8;
      ctx.stroke();
    }
  });
  ctx.restore();
}

/**
 * The label of a data set (app/labels.py): a line from each answer to its true place, where a cross stands.
 * @param {any} ctx
 * @param {View} view
 * @param {{ truth?: (number[] | null)[], drawing: { truth: string } }} meta
 * @param {number[][] | null} points the answers; without them the crosses alone
 */
export function drawTruth(ctx, view, meta, points) {
  if (!meta.truth) return;
  const arm = Math.max(2.5, view.side / 190);
  ctx.save();
  ctx.lineCap = "round";
  for (const [colour, width] of [
    ["rgb(0 0 0 / .7)", 3.4],
    [meta.drawing.truth, 1.5],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    meta.truth.forEach((place, i) => {
      if (!place) return;
      const [x, y] = view.px(place);
      ctx.beginPath();
      if (points?.[i]) {
        ctx.moveTo(...view.px(points[i]));
        ctx.lineTo(x, y);
      }
      ctx.moveTo(x - arm, y - arm);
      ctx.lineTo(x + arm, y + arm);
      ctx.moveTo(x - arm, y + arm);
      ctx.lineTo(x + arm, y - arm);
      ctx.stroke();
    });
  }
  ctx.restore();
}

/* A small text tag with a dark ground, kept inside of w x h; as small however closely a face is looked at. */
export function drawTag(ctx, text, x, y, w, h, font = "system-ui") {
  const { scale, left: from, top: above } = ctx.part ?? { scale: 1, left: 0, top: 0 };
  ctx.save();
  if (ctx.part) {
    ctx.translate(from, above);
    ctx.scale(1 / scale, 1 / scale);
  }
  ctx.font = `600 11px ${font}`;
  const wide = ctx.measureText(text).width + 10;
  const left = Math.min(Math.max(2, (x - from) * scale + 8), w - wide - 2);
  const top = Math.min(Math.max(2, (y - above) * scale - 22), h - 20);
  ctx.fillStyle = "rgb(16 17 20 / .85)";
  ctx.beginPath();
  ctx.roundRect(left, top, wide, 18, 4);
  ctx.fill();
  ctx.fillStyle = "#f3f4f5";
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + 5, top + 9.5);
  ctx.restore();
}

/**
 * A line from a to b in pixels that bends to the left as one walks, so that there and back stay apart.
 * @param {any} ctx
 * @param {number[]} a
 * @param {number[]} b
 * @param {{ colour: string, width?: number, bend: number, head?: number }} options head: length of an arrow's at b
 */
export function drawArrow(ctx, a, b, { colour, width = 1, bend, head = 0 }) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy);
  if (length < 0.5) return;
  const control = [(a[0] + b[0]) / 2 + bend * dy, (a[1] + b[1]) / 2 - bend * dx];
  const last = [b[0] - control[0], b[1] - control[1]];
  const [ux, uy] = last.map((v) => v / (Math.hypot(...last) || 1));
  const size = Math.min(head, length * 0.6);
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = width;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(a[0], a[1]);
  ctx.quadraticCurveTo(control[0], control[1], b[0] - ux * size * 0.8, b[1] - uy * size * 0.8);
  ctx.stroke();
  if (!size) return;
  ctx.beginPath();
  ctx.moveTo(b[0], b[1]);
  for (const side of [1, -1]) {
    ctx.lineTo(b[0] - ux * size + side * uy * size * 0.45, b[1] - uy * size - side * ux * size * 0.45);
  }
  ctx.closePath();
  ctx.fill();
}

/**
 * Colour and width of a line of weight w, where the scale goes from lo (0, or -top for changes) to top.
 * @param {any} drawing
 * @param {{ css: (t: number) => string }} map
 * @param {number} w
 * @param {number} top
 * @param {number} [lo]
 */
export const weightLook = (drawing, map, w, top, lo = 0) => ({
  colour: map.css((w - lo) / (top - lo)),
  width: Math.max(drawing.width[0], (drawing.width[1] * Math.abs(w)) / top),
});

/** A ring around x, y. */
export function drawRing(ctx, x, y, radius, colour, width) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 7);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
}

/* Part colours and, where they fit, their names along the top and the left of an n x n matrix that starts at x, y. */
export function drawBrackets(ctx, face, x, y, side, { thick = 5, ink = null, font = "system-ui" } = {}) {
  const n = face.count;
  ctx.save();
  ctx.font = `10px ${font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  const items = face.brackets.map(({ colour, start, stop, text }) => {
    const from = (start / n) * side + 0.75;
    const long = ((stop - start) / n) * side - 1.5;
    const texts = [text, text.split(" ")[0]];
    ctx.fillStyle = colour;
    ctx.fillRect(x + from, y - thick - 3, long, thick);
    ctx.fillRect(x - thick - 3, y + from, thick, long);
    return { at: from + long / 2, room: long, texts, widths: texts.map((t) => ctx.measureText(t).width) };
  });
  if (ink)
    for (const { item, short, at } of placeLabels(items, side)) {
      ctx.fillStyle = ink;
      ctx.fillText(item.texts[short], x + at, y - thick - 4);
      ctx.save();
      ctx.translate(x - thick - 4, y + at);
      ctx.rotate(-Math.PI / 2);
      ctx.fillText(item.texts[short], 0, 0);
      ctx.restore();
    }
  ctx.restore();
}
