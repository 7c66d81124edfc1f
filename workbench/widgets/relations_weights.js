/* Which weights are drawn, and the facts of the caption; pure. Of changes of weights the size counts. Weights of all
maps lie in one flat array (stage, layer, head, query, key). */

/* Mean over the heads of one (stage, layer) block: all is (stage, layer, head, n, n) flat; head null -> the mean. */
export function meanOver(all, [, layers, heads, n], stage, layer, head) {
  const size = n * n;
  const start = (stage * layers + layer) * heads * size;
  if (head != null) return all.subarray(start + head * size, start + (head + 1) * size);
  const out = new Float64Array(size);
  for (let h = 0; h < heads; h++) for (let i = 0; i < size; i++) out[i] += all[start + h * size + i];
  for (let i = 0; i < size; i++) out[i] /= heads;
  return out;
}

/* Partners of landmark i, strongest first: its keys as a query, its queries as a key. topk 0 is all. */
export function partners(w, n, i, { direction = "query", topk = 0, threshold = 0, own = false } = {}) {
  const found = [];
  for (let j = 0; j < n; j++) {
    if (j === i && !own) continue;
    const [q, k] = direction === "query" ? [i, j] : [j, i];
    const weight = w[q * n + k];
    if (Math.abs(weight) >= threshold && weight) found.push({ q, k, w: weight });
  }
  found.sort((a, b) => Math.abs(b.w) - Math.abs(a.w) || a.q - b.q || a.k - b.k);
  return topk ? found.slice(0, topk) : found;
}

/* All lines to draw, weakest first; focus null takes every landmark in turn. */
export function edgesOf(w, n, focus, options) {
  const from = focus == null ? [...Array(n).keys()] : [focus];
  return from.flatMap((i) => partners(w, n, i, options)).sort((a, b) => Math.abs(a.w) - Math.abs(b.w));
}

/* One edge a query, to its strongest key other than itself (thesis Fig. 4.6), weakest first. */
export function bestPartners(w, n, threshold = 0) {
  return edgesOf(w, n, null, { topk: 1, threshold });
}

export function largest(w, n, own) {
  let top = 0;
  for (let i = 0; i < w.length; i++)
    if (Math.abs(w[i]) > top && (own || Math.floor(i / n) % n !== i % n)) top = Math.abs(w[i]);
  return top;
}

/* The lines of every head, e.h the head, weakest first. */
export function edgesOfHeads(weightsOf, heads, n, focus, options) {
  const all = [...Array(heads).keys()].flatMap((h) =>
    edgesOf(weightsOf(h), n, focus, options).map((e) => ({ ...e, h })),
  );
  return all.sort((a, b) => Math.abs(a.w) - Math.abs(b.w));
}

/* The weight that a scale ends at: the largest of the map that is shown, or of all maps of its kind; never 0. */
export const reach = (scale, map, all, n, own) => largest(scale === "all" ? all : map, n, own) || 1;

/* The layer to show of another kind: the same one, or the next whose weights an answer can depend on. */
export function workingLayer(kinds, name, layer) {
  const { idle, shape } = kinds.find((kind) => kind.name === name);
  const next = [...Array(shape[1]).keys()].find((k) => k >= layer && !idle.includes(k));
  return next ?? layer;
}

/**
 * The facts of the caption (workbench/explain/caption_tables.py: RELATIONS).
 * @param {any} meta
 * @param {any} s the selection
 * @param {number} top where the scale ends
 * @param {number | null} focus the landmark that is pointed at or pinned
 * @returns {Record<string, import("./captions.js").Fact>}
 */
export function relationsFacts(meta, s, top, focus) {
  const { paths, shape, idle, even, rolled = false } = meta.kinds.find((kind) => kind.name === s.kind);
  const [stages, layers, heads, n] = shape;
  return {
    tensor: paths[s.layer],
    stage: s.stage + 1,
    stages,
    layer: s.layer + 1,
    layers,
    head: s.head == null ? null : s.head + 1,
    heads: s.mode === "heads" ? 1 : heads, // all of them are drawn
    idle: idle.includes(s.layer),
    even: even.includes(s.layer),
    rolled,
    mode: s.mode,
    part: s.part ? meta.parts[s.part] : null,
    direction: s.direction,
    landmark: focus == null ? null : `${meta.face.label[focus]} (${focus})`,
    topk: s.topk < (s.own ? n : n - 1) ? s.topk : 0,
    own: s.own,
    threshold: s.threshold,
    top,
    scale: s.scale,
    widget: true,
  };
}
