/* What the Self-attention explorer shows at the moment, and what follows from it. */

import { colourMap } from "./colours.js";
import { decodeHalf } from "./geometry.js";
import { centred, scaledHalf, spanOf } from "./heatmap.js";
import { leakUnder, queryAt, rowOf } from "./self_attention_numbers.js";

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

/** What gives the rows of a panel: its factors, less those of another reading, or rows that were sent. */
function rows(host, panel, at) {
  const cells = panel.size * panel.size;
  if (!panel.ranks) {
    const values = scaledHalf(host.bytes(`attention.${at}`), panel.unit);
    return { row: (k) => values.subarray(k * cells, (k + 1) * cells), reached: new Uint8Array(cells).fill(1) };
  }
  const given = ["", "minus."].slice(0, panel.ranks.length).map((sign, k) => ({
    left: floats(host.bytes(`${sign}left.${at}`)),
    right: floats(host.bytes(`${sign}right.${at}`)),
    reached: host.bytes(`${sign}reached.${at}`),
    rank: panel.ranks[k],
    log: panel.normalise === "softmax",
  }));
  const [own, other] = [new Float32Array(cells), new Float32Array(cells)];
  const plain = (k) => rowOf(given[0], k, own);
  const changed = (k) => {
    plain(k);
    rowOf(given[1], k, other);
    for (let i = 0; i < cells; i++) own[i] -= other[i];
    return own;
  };
  return { row: given.length > 1 ? changed : plain, plain, reached: given[0].reached };
}

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
      ...rows(host, panel, at),
      outline: host.bytes(`outline.${at}`),
      sent: {
        sigma: panel.sigma,
        radius: panel.radius,
        mask: decodeHalf(host.bytes(`mask.${at}`)),
        crest: decodeHalf(host.bytes(`crest.${at}`)),
        shares: decodeHalf(host.bytes(`outside.${at}`)),
        share: panel.share,
        leak: panel.leak,
        account: panel.account,
        moved: false,
      },
    })),
    /** The model without attention: its largest heatmap. */
    baseline: meta.baseline && { ...meta.baseline, values: scaledHalf(host.bytes("baseline"), meta.baseline.unit) },
    /** Mask and leaks of each panel under the mask that is set. */
    settle() {
      for (const p of v.panels) {
        const [sigma, radius] = [v.s.sigma ?? p.sigma, v.s.radius ?? p.radius];
        if (!p.plain || (sigma === p.sigma && radius === p.radius)) p.now = p.sent;
        else if (p.now?.sigma !== sigma || p.now?.radius !== radius || !p.now?.moved)
          p.now = { ...leakUnder(p.plain, p.points, p.size, sigma, radius, p), moved: true };
      }
    },
    /** Whether the mask can be moved: every query has to be here. */
    movable: () => v.panels.every((p) => p.plain),
    /** @type {ImageBitmap | null} */
    image: null,
    /** @type {number[] | null} the place that is pointed at */
    hover: null,
    /** @type {number | null} the landmark whose bar is pointed at */
    spot: null,
    points: meta.panels[0].points,
    /** Drawn on the photograph, below everything else. */
    under: (_ctx, _view) => {},
    place() {
      const pinned = v.s.place ?? (v.s.landmark != null ? v.points[v.s.landmark] : null);
      const middle = () => [0, 1].map((k) => v.points.reduce((sum, p) => sum + p[k], 0) / v.points.length);
      return v.hover ?? pinned ?? middle();
    },
    query: (p) => queryAt(v.place(), p),
    mapOf(p) {
      const k = v.query(p).at;
      if (p.kept?.k !== k) p.kept = { k, row: Float32Array.from(p.row(k)) };
      return p.kept.row;
    },
    span(p) {
      const of = meta.signed ? centred : spanOf;
      const all = (v.s.scale === "both" ? v.panels : [p]).map((q) => of(v.mapOf(q)));
      const hi = Math.max(...all.map((span) => span.hi));
      const signed = all.some((span) => span.signed);
      return { lo: signed ? -hi : 0, hi, signed };
    },
  };
  v.settle();
  return v;
}
