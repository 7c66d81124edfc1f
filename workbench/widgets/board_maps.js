/* Arrays that Python packed (board.py: packed), and pictures of them. */

import { colourMap } from "./colours.js";
import { gridImage, scaledHalf, spanOf, together } from "./heatmap.js";

/**
 * @param {import("./host.js").Host} host
 * @param {string} name the set
 * @param {Record<string, { shape: number[], unit: number }>} told
 * @returns {Record<string, { values: Float32Array, shape: number[] }>}
 */
export const arraysOf = (host, name, told) =>
  Object.fromEntries(
    Object.entries(told).map(([key, { shape, unit }]) => [
      key,
      { values: scaledHalf(host.bytes(`${name}.${key}`), unit), shape },
    ]),
  );

/** Values that were sent as they are, float32. */
export const exactOf = (bytes) =>
  bytes ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) : null;

/**
 * One map of an array of maps (h, w) or (C, h, w): a channel, or the mean of the absolute values of all.
 * @param {{ values: Float32Array, shape: number[] }} array
 * @param {number | null} channel
 */
export function oneOf({ values, shape }, channel) {
  if (shape.length === 2) return values;
  const cells = shape.at(-1) * shape.at(-2);
  if (channel == null) return together(values, shape[0], "abs");
  return values.subarray(channel * cells, (channel + 1) * cells);
}

/** a minus b. */
export const minus = (a, b) => a.map((v, i) => v - b[i]);

/** The scale of a difference: centred on zero. */
export function centred(values) {
  const top = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1;
  return { lo: -top, hi: top, signed: true };
}

/** One scale for several maps. */
export function spanOfAll(list) {
  const spans = list.map(spanOf);
  const hi = Math.max(...spans.map((span) => span.hi));
  return spans.some((span) => span.signed) ? { lo: -hi, hi, signed: true } : { lo: 0, hi, signed: false };
}

/**
 * A map with its scale as what the row and the large face draw.
 * @type {(values: any, cells: number[], span: any, maps: any, sheer?: boolean | string) => any}
 */
export const mapPicture = (values, [h, w], span, maps, sheer = true) => ({
  values,
  h,
  w,
  span,
  image: gridImage(values, h, w, span, maps, sheer),
});

/** Results that are kept until `clear`. */
export function memory() {
  const kept = new Map();
  return {
    once(key, make) {
      if (!kept.has(key)) kept.set(key, make());
      return kept.get(key);
    },
    clear: () => kept.clear(),
  };
}

/**
 * What every board's state begins with: its face, the selection, and what is pointed at.
 * @param {import("./host.js").Host} host
 */
export const boardState = (host) => ({
  meta: host.meta,
  maps: { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.diverging")) },
  face: host.meta.face,
  s: { ...host.get("selection") },
  /** @type {ImageBitmap | null} */
  image: null,
  /** @type {number | null} */
  hover: null,
  /** @type {number[] | null} */
  place: null,
  /** @type {Record<string, number>} what is pointed at beside the face */
  spots: {},
});
