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

/** Leaked mass by facial part, the models' bars side by side, a gap after each landmark; null outside the crop. */
export const leakRows = (panels, order) => order.flatMap((i) => [...panels.map((p) => p.leak[i]), 0]);

/**
 * The facts of one model's caption (workbench/explain/caption_tables.py: SELF_ATTENTION).
 * @param {any} p the panel's part of meta
 * @param {{ row: number, col: number }} query
 * @param {{ lo: number, hi: number }} span
 * @param {string} scale
 */
export const selfAttentionFacts = (p, query, span, scale) => ({
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
  sigma: p.sigma,
  radius: p.radius,
  share: Math.round(100 * p.share),
  beta: p.beta,
});
