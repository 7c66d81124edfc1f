/* What the Graph view shows at the moment, and what follows from it. */

import { arraysOf, boardState, memory, minus } from "./board_maps.js";

/** @param {import("./host.js").Host} host */
export function graphState(host) {
  const base = boardState(host);
  const { meta } = base;
  const kept = memory();
  const arrays = arraysOf(host, "graph", meta.arrays);
  const n = meta.face.count;
  const v = {
    ...base,
    n,
    focus: () => v.hover ?? v.spots.residual ?? v.s.landmark,
    layer: () => v.spots.layers ?? v.s.layer,
    signed: () => v.s.mode === "change" || v.s.mode === "even",
    top: () => meta.top[v.s.mode],
    /** (N, N) of one layer, flat; rows take from columns. */
    weights: (kind, layer = v.layer()) =>
      (arrays[kind] ?? arrays.weights).values.subarray(layer * n * n, (layer + 1) * n * n),
    edges: () =>
      kept.once(`${v.layer()} ${v.s.mode}`, () => {
        const now = v.weights("weights");
        if (v.s.mode === "face") return now;
        const learned = v.weights("learned");
        if (v.s.mode === "learned") return learned;
        if (v.s.mode === "change") return minus(now, learned);
        return now.map((w, k) => (learned[k] > 0 ? w - 1 / meta.degree[Math.floor(k / n)] : 0));
      }),
    /** The lines to draw, weakest first: from each landmark to its neighbours, or of the one in focus. */
    lines() {
      const f = v.focus();
      const all = kept.once(`lines ${v.layer()} ${v.s.mode}`, () => {
        const out = [];
        v.edges().forEach((w, k) => {
          const [i, j] = [Math.floor(k / n), k % n];
          if (i !== j && v.weights("learned")[k] > 0) out.push({ i, j, w });
        });
        return out.sort((a, b) => Math.abs(a.w) - Math.abs(b.w));
      });
      return f == null ? all : all.filter((e) => e.i === f);
    },
    /** The landmark whose edges in this layer depart most from 1 / degree. */
    boldest: () =>
      kept.once(`boldest ${v.layer()}`, () => {
        const now = v.weights("weights");
        const learned = v.weights("learned");
        const by = meta.degree.map((d, i) =>
          mean([...Array(n).keys()].filter((j) => learned[i * n + j] > 0).map((j) => Math.abs(now[i * n + j] * d - 1))),
        );
        return by.indexOf(Math.max(...by));
      }),
    drawn: () => meta.steps[v.s.step],
    /** How far a step moved each node, in [0, 1] of the crop. */
    moved: (step) => meta.steps[step].map((p, i) => [0, 1].map((k) => p[k] - meta.steps[Math.max(0, step - 1)][i][k])),
    residuals: () => meta.residuals[v.s.reference][v.s.step],
    arrows: () => meta.arrows[v.s.show === "residuals" ? v.s.reference : "moves"],
  };
  return v;
}

export const lengths = (vectors, size) => vectors.map(([x, y]) => Math.hypot(x, y) * size);
export const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

/**
 * The facts of the caption (workbench/explain/system_captions.py: GRAPH).
 * @param {any} v
 */
export function graphFacts(v) {
  const { meta, s } = v;
  const f = v.focus();
  return {
    show: s.show,
    tensor: s.show === "edges" ? meta.layers[v.layer()] : meta.positions,
    relative: meta.relative,
    layer: v.layer() + 1,
    layers: meta.layers.length,
    mode: s.mode,
    step: meta.names[s.step],
    first: s.step === 0,
    reference: meta.references[s.reference],
    low: v.signed() ? -v.top() : 0,
    top: v.top(),
    arrows: v.arrows(),
    landmark: f == null ? null : `${v.face.label[f]} (${f})`,
    widget: true,
  };
}
