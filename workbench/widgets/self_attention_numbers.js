/* Queries, leaked mass and the facts of the caption; pure. */

/**
 * The query whose row is shown for a place in [0, 1].
 * @param {number[]} place
 * @param {{ size: number, every: number, queries: number }} panel
 * @returns {{ row: number, col: number, at: number }} its cell, and its index among the rows that were sent
 */
export function queryAt([u, v], { size, every, queries }) {
  const near = (t) => {
    const cell = Math.min(size - 1, Math.max(0, Math.floor(t * size)));
    return Math.min(queries - 1, Math.max(0, Math.round((cell - (every >> 1)) / every)));
  };
  const [qx, qy] = [near(u), near(v)];
  return { row: (every >> 1) + qy * every, col: (every >> 1) + qx * every, at: qy * queries + qx };
}

export const cellCentre = ({ row, col }, size) => [(col + 0.5) / size, (row + 0.5) / size];

/**
 * One row of weights from factors; `into` is overwritten.
 * @param {{ left: Float32Array, right: Float32Array, reached: Uint8Array, rank: number, log: boolean }} factors
 */
export function rowOf({ left, right, reached, rank, log }, query, into) {
  const keys = into.length;
  into.fill(0);
  for (let r = 0; r < rank; r++) {
    const l = left[query * rank + r];
    const at = r * keys;
    for (let k = 0; k < keys; k++) into[k] += l * right[at + k];
  }
  if (log) for (let k = 0; k < keys; k++) into[k] = reached[k] ? Math.exp(into[k]) : 0;
  return into;
}

/** One Gaussian a landmark, cut to a square (explain/self_attention.py: landmark_masks), as its rows and columns. */
function gaussians(points, size, sigma, radius) {
  const axis = (t) =>
    Float64Array.from({ length: size }, (_, i) => {
      const d = i - (t * size - 0.5);
      return Math.abs(d) <= radius ? Math.exp(-(d * d) / (2 * sigma * sigma)) : 0;
    });
  return points.map(([x, y]) => [axis(y), axis(x)]);
}

/**
 * What leaks from the landmarks' neighbourhoods under a mask of sigma and R (explain/self_attention.py: leaked_mass,
 * leak_account).
 * @param {(query: number) => ArrayLike<number>} row the weights of a query
 * @param {number[][]} points
 * @param {number} size
 * @param {number} sigma
 * @param {number} radius
 * @param {{ outline: Uint8Array, reached: Uint8Array }} panel
 */
export function leakUnder(row, points, size, sigma, radius, { outline, reached }) {
  const cells = size * size;
  const mask = new Float64Array(cells);
  const crest = new Float64Array(cells);
  const parts = new Float64Array(cells);
  const masks = gaussians(points, size, sigma, radius);
  const own = masks.map(([ys, xs]) => ys.reduce((a, b) => a + b, 0) * xs.reduce((a, b) => a + b, 0));
  const known = own.filter((sum) => sum > 0).length;
  masks.forEach(([ys, xs], i) => {
    for (let r = 0; r < size; r++)
      for (let c = 0; c < size; c++) {
        const value = ys[r] * xs[c];
        if (!value) continue;
        mask[r * size + c] += value;
        crest[r * size + c] = Math.max(crest[r * size + c], value);
        parts[r * size + c] += value / own[i] / known;
      }
  });
  const shares = new Float64Array(cells);
  const into = new Float64Array(cells);
  let [near, loss, open] = [0, 0, 0];
  for (let k = 0; k < cells; k++) if (reached[k] && !mask[k]) open++;
  for (let q = 0; q < cells; q++) {
    if (!mask[q]) continue;
    near++;
    const weights = row(q);
    let [all, out] = [0, 0];
    for (let k = 0; k < cells; k++) {
      const w = Math.abs(weights[k]);
      all += w;
      if (!mask[k]) out += w;
    }
    if (!all) continue;
    shares[q] = out / all;
    loss += mask[q] * shares[q];
    for (let k = 0; k < cells; k++) if (!mask[k]) into[k] += (parts[q] * Math.abs(weights[k])) / all;
  }
  const leak = masks.map(([ys, xs], i) => {
    if (!own[i]) return null;
    let sum = 0;
    for (let r = 0; r < size; r++)
      if (ys[r]) for (let c = 0; c < size; c++) sum += ys[r] * xs[c] * shares[r * size + c];
    return sum / own[i];
  });
  const cell = into.reduce((best, value, k) => (value > into[best] ? k : best), 0);
  const total = reached.reduce((sum, on) => sum + on, 0);
  return {
    sigma,
    radius,
    mask,
    crest,
    shares,
    leak,
    share: near / cells,
    account: known && {
      mean: into.reduce((a, b) => a + b, 0),
      chance: open / total,
      sink: into[cell],
      cell: [Math.floor(cell / size), cell % size],
      inside: into.reduce((sum, value, k) => sum + (outline[k] ? value : 0), 0),
      loss: near ? loss / near : 0,
    },
  };
}

/** Leaked mass by facial part, the models' bars side by side, a gap after each landmark; null outside the crop. */
export const leakRows = (panels, order) => order.flatMap((i) => [...panels.map((p) => (p.now ?? p).leak[i]), 0]);

/**
 * The facts of one model's caption (workbench/explain/caption_tables.py: SELF_ATTENTION).
 * @param {any} p the panel's part of meta
 * @param {{ row: number, col: number }} query
 * @param {{ lo: number, hi: number }} span
 * @param {string} scale
 */
export const selfAttentionFacts = (p, query, span, scale, leak = p.now) => ({
  tensor: p.tensor,
  row: query.row,
  column: query.col,
  size: p.size,
  every: p.every,
  softmax: p.normalise === "softmax",
  low: span.lo,
  high: span.hi,
  scale,
  widget: true,
  rank: p.ranks ? p.ranks[0] : null,
  departure: p.departure,
  sigma: leak?.sigma ?? p.sigma,
  radius: leak?.radius ?? p.radius,
  share: Math.round(100 * (leak?.share ?? p.share)),
  beta: p.beta,
  moved: leak?.moved ?? false,
  trained_sigma: p.sigma,
  trained_radius: p.radius,
});
