/* Maps of h x w cells laid over the face, cell by cell, never smoothed. `maps` is {plain, signed}, two colour maps.
 */

import { decodeHalf } from "./geometry.js";
import { drawFaceLegend } from "./legend.js";
import { number } from "./numbers.js";

/* Values that were divided by a power of two before they became float16. */
export function scaledHalf(bytes, unit) {
  const out = decodeHalf(bytes);
  for (let i = 0; i < out.length; i++) out[i] *= unit;
  return out;
}

/* From where to where the colours reach. Values count as signed when the least lies below -5 % of the largest: then
the scale is centred on zero; otherwise it begins at zero, and what little lies below shares the first colour. */
export function spanOf(values) {
  let least = 0;
  let most = 0;
  for (const v of values) {
    if (v < least) least = v;
    if (v > most) most = v;
  }
  const top = Math.max(most, -least) || 1;
  return -least > 0.05 * most ? { lo: -top, hi: top, signed: true } : { lo: 0, hi: top, signed: false };
}
/* Of changes: always centred on zero. */
export function centred(values) {
  let top = 0;
  for (const v of values) if (Math.abs(v) > top) top = Math.abs(v);
  return { lo: -(top || 1), hi: top || 1, signed: true };
}
export function rangeOf(values) {
  let lo = Infinity;
  let hi = -Infinity;
  for (const v of values) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return { lo, hi: hi > lo ? hi : lo + (Math.abs(lo) || 1), signed: false };
}
const shareOf = (v, { lo, hi }) => (v - lo) / (hi - lo);

/* `count` maps in a row become one: "abs" mean of the absolute values, "mean", "max", or "far", the value that lies
farthest from zero. */
export function together(values, count, how) {
  const size = values.length / count;
  const out = new Float32Array(size).fill(how === "max" ? -Infinity : 0);
  for (let k = 0; k < count; k++)
    for (let i = 0; i < size; i++) {
      const v = values[k * size + i];
      if (how === "max") {
        if (v > out[i]) out[i] = v;
      } else if (how === "far") {
        if (Math.abs(v) > Math.abs(out[i])) out[i] = v;
      } else out[i] += (how === "abs" ? Math.abs(v) : v) / count;
    }
  return out;
}

/* One stage and head of a tensor (stage, head, ...) flat; head null -> the mean of the heads. */
export function blockOf(values, [stages, heads, ...rest], stage, head) {
  const size = rest.reduce((a, b) => a * b, 1);
  const start = Math.min(stage, stages - 1) * heads * size;
  if (heads === 1 || head != null) {
    const h = Math.min(head ?? 0, heads - 1);
    return values.subarray(start + h * size, start + (h + 1) * size);
  }
  return together(values.subarray(start, start + heads * size), heads, "mean");
}

/* What one scale for all maps has to hold: every stage, of all heads as recorded (head chosen) or of their mean. */
export function everyBlock(values, shape, head) {
  if (head != null || shape[1] === 1) return values;
  const means = Array.from({ length: shape[0] }, (_, stage) => blockOf(values, shape, stage, null));
  const out = new Float32Array(means.length * means[0].length);
  means.forEach((mean, stage) => out.set(mean, stage * mean.length));
  return out;
}

/* Lines from landmark i (null: from each) to the others that it weighs most, weakest first; k 0 is all. */
export function linesOf(w, n, i, k) {
  const from = i == null ? [...Array(n).keys()] : [i];
  return from
    .flatMap((q) => {
      const list = [];
      for (let j = 0; j < n; j++) if (j !== q && w[q * n + j]) list.push({ q, k: j, w: w[q * n + j] });
      list.sort((a, b) => Math.abs(b.w) - Math.abs(a.w) || a.k - b.k);
      return k ? list.slice(0, k) : list;
    })
    .sort((a, b) => Math.abs(a.w) - Math.abs(b.w));
}

/**
 * The cell of a place in [0, 1] of the crop.
 * @param {number[]} place
 * @param {number} h
 * @param {number} w
 * @param {number[]} [rect] x, y, w, h: where the map covers only a part of the crop
 */
export function cellUnder([u, v], h, w, [x, y, wide, tall] = [0, 0, 1, 1]) {
  const col = Math.floor(((u - x) / wide) * w);
  const row = Math.floor(((v - y) / tall) * h);
  return row >= 0 && col >= 0 && row < h && col < w ? [row, col] : null;
}

/* How many values lie in each of `bins` equal steps of the scale. */
export function histogram(values, span, bins = 24) {
  const out = new Array(bins).fill(0);
  for (const v of values) out[Math.min(bins - 1, Math.max(0, Math.floor(shareOf(v, span) * bins)))]++;
  return out;
}

/* Canvas -------------------------------------------------------------------------------------------------- */

/* With `sheer` a cell is the more opaque the larger its value ("low": the smaller), from 0.3 with the root of its
share to 1. */
export function gridImage(values, h, w, span, maps, sheer = /** @type {boolean | string} */ (false)) {
  const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(w, h);
  const map = span.signed ? maps.signed : maps.plain;
  for (let i = 0; i < h * w; i++) {
    const t = Math.min(1, Math.max(0, shareOf(values[i], span)));
    const [r, g, b] = map.rgb(t);
    image.data[4 * i] = r;
    image.data[4 * i + 1] = g;
    image.data[4 * i + 2] = b;
    const share = span.signed ? Math.abs(2 * t - 1) : sheer === "low" ? 1 - t : t;
    image.data[4 * i + 3] = sheer ? 255 * (0.3 + 0.7 * Math.sqrt(share)) : 255;
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}

export function drawGrid(ctx, view, image, opacity, [x, y, w, h] = [0, 0, 1, 1]) {
  ctx.save();
  ctx.globalAlpha = opacity;
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(image, view.x0 + x * view.side, view.y0 + y * view.side, w * view.side, h * view.side);
  ctx.restore();
}

/**
 * A frame around one cell.
 * @type {(ctx: any, view: any, cell: number[], h: number, w: number, rect?: number[], colour?: string) => void}
 */
export const drawCell = (ctx, view, [row, col], h, w, rect = [0, 0, 1, 1], colour = "#fff") => {
  const [x, y, wide, tall] = rect;
  const cw = (wide / w) * view.side;
  const ch = (tall / h) * view.side;
  const left = view.x0 + x * view.side + col * cw;
  const top = view.y0 + y * view.side + row * ch;
  ctx.strokeStyle = "rgb(0 0 0 / .7)";
  ctx.lineWidth = 3;
  ctx.strokeRect(left, top, cw, ch);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(left, top, cw, ch);
};

/**
 * The colour bar of a map in the strip below a face of w x h pixels.
 * @param {any} ctx
 * @param {number} w
 * @param {number} h
 * @param {any} drawing
 * @param {{ lo: number, hi: number, signed: boolean }} span
 * @param {{ plain: any, signed: any }} maps
 * @param {string} text
 * @param {{ value: number, text: string } | null} [mark]
 */
export function drawMapLegend(ctx, w, h, drawing, { lo, hi, signed }, maps, text, mark = null) {
  drawFaceLegend(ctx, w, h, drawing, { map: signed ? maps.signed : maps.plain, lo, hi, text, mark });
}

/** The mark of a value on its scale, kept within it. */
export const markAt = (value, { lo, hi }) =>
  value == null ? null : { value: Math.min(hi, Math.max(lo, value)), text: number(value) };
