/* What the Prompts explorer shows at the moment, and what follows from it. */

import { colourMap } from "./colours.js";
import { scaledHalf, spanOf, together } from "./heatmap.js";

/**
 * Where one point looks in a layer: the mean of the heads when `head` is null.
 * @param {{ values: Float32Array, shape: number[] }} layer (head, landmark, y, x) flat
 * @param {number} landmark
 * @param {number | null} head
 */
export function lookOf({ values, shape: [heads, count, rows, columns] }, landmark, head) {
  const cells = rows * columns;
  const one = (h) => values.subarray((h * count + landmark) * cells, (h * count + landmark + 1) * cells);
  if (head != null) return one(Math.min(head, heads - 1));
  const all = new Float32Array(heads * cells);
  for (let h = 0; h < heads; h++) all.set(one(h), h * cells);
  return together(all, heads, "mean");
}

/**
 * Of one payload; a new payload takes a new one.
 * @param {import("./host.js").Host} host
 */
export function promptsState(host) {
  const { meta } = host;
  const colours = { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.inferno")) };
  const kept = new Map();
  const v = {
    meta,
    face: meta.face,
    points: meta.points,
    colours,
    layers: meta.layers.map((layer, k) => ({ ...layer, values: scaledHalf(host.bytes(`look.${k}`), layer.unit) })),
    s: { ...host.get("selection") },
    /** @type {ImageBitmap | null} */
    image: null,
    /** @type {number | null} the landmark that is pointed at */
    hover: null,
    chosen: () => v.hover ?? v.s.landmark,
    /** Where the chosen point looks, layer and head as told; kept, for a frame asks several times. */
    map(layer, head) {
      const key = `${v.chosen()} ${layer} ${head}`;
      if (!kept.has(key)) {
        if (kept.size > 400) kept.clear();
        kept.set(key, lookOf(v.layers[layer], v.chosen(), head));
      }
      return kept.get(key);
    },
    heads: () => Math.min(...v.layers.map((layer) => layer.shape[0])),
    span(layer = v.s.layer, head = v.s.head) {
      if (v.s.scale !== "all") return spanOf(v.map(layer, head));
      let hi = 0;
      v.layers.forEach((_, l) => {
        for (let h = 0; h < v.heads(); h++) hi = Math.max(hi, spanOf(v.map(l, h)).hi);
      });
      return { lo: 0, hi, signed: false };
    },
    /** @returns {Record<string, any>} facts of the caption (caption_tables.py: PROMPTS) */
    facts() {
      const layer = v.layers[v.s.layer];
      const [heads, , rows, columns] = layer.shape;
      const i = v.chosen();
      return {
        ...meta.facts,
        tensor: layer.path,
        layer: v.s.layer + 1,
        head: v.s.head == null ? null : v.s.head + 1,
        heads,
        rows,
        columns,
        landmark: i == null ? null : v.face.label[i],
        high: i == null ? 0 : v.span().hi,
        scale: v.s.scale,
      };
    },
  };
  return v;
}
