/* What the Relations explorer shows at the moment, and what follows from it. */

import { colourMap, matrixImage } from "./colours.js";
import { decodeHalf } from "./geometry.js";
import { bestPartners, edgesOf, edgesOfHeads, meanOver, reach } from "./relations_weights.js";

/**
 * Of one payload; a new payload takes a new one.
 * @param {import("./host.js").Host} host
 */
export function relationsState(host) {
  const { meta } = host;
  const kinds = Object.fromEntries(meta.kinds.map((kind) => [kind.name, kind]));
  const all = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, decodeHalf(host.bytes(`attention.${kind}`))]));
  const n = meta.face.count;
  const { signed } = meta;
  const map = colourMap(host.bytes(signed ? "lut.diverging" : "lut.inferno"));
  const rank = [];
  meta.face.order.forEach((i, at) => {
    rank[i] = at;
  });
  const kept = new Map();
  const once = (key, make) => {
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key);
  };
  const v = {
    meta,
    face: meta.face,
    n,
    map,
    rank,
    s: { ...host.get("selection") },
    /** @type {ImageBitmap | null} */
    image: null,
    /** @type {number | null} */
    hover: null,
    /** @type {[query: number, key: number] | null} */
    cell: null,
    points: [],
    /** Drawn on the photograph, below everything else. */
    under: (_ctx, _view) => {},
    weights(layer = v.s.layer, head = v.s.head) {
      const { kind, stage } = v.s;
      return once(`w ${kind} ${stage} ${layer} ${head}`, () =>
        meanOver(all[kind], kinds[kind].shape, stage, layer, head),
      );
    },
    /* What is drawn, an entry of meta.kinds: {name, title, paths by layer, shape [stages, layers, heads, n]}. */
    kind: () => kinds[v.s.kind],
    top(layer = v.s.layer, head = v.s.head) {
      const { kind, own, scale, stage } = v.s;
      return once(
        `top ${kind} ${own} ${scale === "all" || [stage, layer, head]}`,
        () =>
          (scale === "all" && !own && meta.reach?.[kind]) || reach(scale, v.weights(layer, head), all[kind], n, own),
      );
    },
    picture(layer = v.s.layer, head = v.s.head) {
      const { kind, stage, own, scale } = v.s;
      return once(`img ${kind} ${stage} ${layer} ${head} ${own} ${scale}`, () => {
        const w = v.weights(layer, head);
        const high = v.top(layer, head);
        const low = signed ? -high : 0;
        const { order } = v.face;
        return matrixImage(
          n,
          (r, c) => (r === c && !own ? null : (w[order[r] * n + order[c]] - low) / (high - low)),
          map,
        );
      });
    },
    /* Where the scale of the lines ends: with every head, at the largest of them all. */
    most() {
      if (v.s.mode !== "heads" || v.s.scale === "all") return v.top();
      return Math.max(...[...Array(v.kind().shape[2]).keys()].map((h) => v.top(v.s.layer, h)));
    },
    colourOf: (h) => meta.heads_in[h % meta.heads_in.length],
    /* Where the scale begins. */
    low: () => (signed ? -v.top() : 0),
    focus: () => v.hover ?? (v.cell ? v.cell[v.s.direction === "query" ? 0 : 1] : v.s.landmark),
    edges() {
      const { mode, direction, topk, threshold, own } = v.s;
      const f = v.focus();
      const end = (e) => (direction === "query" ? e.q : e.k);
      const options = { direction, topk, threshold, own };
      let list;
      if (mode === "best") {
        list = bestPartners(v.weights(), n, threshold);
        if (f != null) list = list.filter((e) => end(e) === f);
      } else if (mode === "heads") {
        list = edgesOfHeads((h) => v.weights(v.s.layer, h), v.kind().shape[2], n, f, options);
      } else list = edgesOf(v.weights(), n, f, options);
      return v.s.part && f == null ? list.filter((e) => v.face.part[end(e)] === v.s.part) : list;
    },
  };
  v.points = meta.points[v.s.stage];
  return v;
}
