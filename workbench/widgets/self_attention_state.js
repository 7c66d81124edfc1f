/* What the Self-attention explorer shows at the moment, and what follows from it. */

import { colourMap } from "./colours.js";
import { decodeHalf } from "./geometry.js";
import { scaledHalf, spanOf } from "./heatmap.js";
import { queryAt } from "./self_attention_numbers.js";

/**
 * Of one payload; a new payload takes a new one.
 * @param {import("./host.js").Host} host
 */
export function selfAttentionState(host) {
  const { meta } = host;
  const v = {
    meta,
    face: meta.face,
    maps: { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.diverging")) },
    s: { ...host.get("selection") },
    /** @type {any[]} one a model: its part of meta, its tensors, and in the page its surface */
    panels: meta.panels.map((panel, at) => ({
      ...panel,
      values: scaledHalf(host.bytes(`attention.${at}`), panel.unit),
      mask: decodeHalf(host.bytes(`mask.${at}`)),
      crest: decodeHalf(host.bytes(`crest.${at}`)),
      outside: decodeHalf(host.bytes(`outside.${at}`)),
    })),
    /** @type {ImageBitmap | null} */
    image: null,
    /** @type {number[] | null} the place that is pointed at */
    hover: null,
    /** @type {number | null} the landmark whose bar is pointed at */
    spot: null,
    points: meta.panels[0].points,
    place() {
      const pinned = v.s.place ?? (v.s.landmark != null ? v.points[v.s.landmark] : null);
      const middle = () => [0, 1].map((k) => v.points.reduce((sum, p) => sum + p[k], 0) / v.points.length);
      return v.hover ?? pinned ?? middle();
    },
    query: (p) => queryAt(v.place(), p),
    mapOf(p) {
      const cells = p.size * p.size;
      const k = v.query(p).at;
      return p.values.subarray(k * cells, (k + 1) * cells);
    },
    span(p) {
      const all = (v.s.scale === "both" ? v.panels : [p]).map((q) => spanOf(v.mapOf(q)));
      const hi = Math.max(...all.map((span) => span.hi));
      const signed = all.some((span) => span.signed);
      return { lo: signed ? -hi : 0, hi, signed };
    },
  };
  return v;
}
