/* Which encodings are nearest, how the mean face is placed, and the facts of the caption; pure. */

/**
 * The k others most similar to landmark i, most similar first.
 * @param {ArrayLike<number>} values n x n
 * @param {number} n
 * @param {number} i
 * @param {number} [k]
 */
export function mostSimilar(values, n, i, k = 3) {
  const found = [];
  for (let j = 0; j < n; j++) if (j !== i) found.push({ i: j, v: values[i * n + j] });
  return found.sort((a, b) => b.v - a.v || a.i - b.i).slice(0, k);
}

/**
 * The view that fits the bounding box of points into w x h with a margin.
 * @param {number[][]} points
 * @param {number} w
 * @param {number} h
 * @param {number} pad
 * @returns {import("./geometry.js").View}
 */
export function fitPoints(points, w, h, pad) {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const side = Math.max(1, Math.min((w - 2 * pad) / (x1 - x0 || 1), (h - 2 * pad) / (y1 - y0 || 1)));
  const left = w / 2 - (side * (x0 + x1)) / 2;
  const top = h / 2 - (side * (y0 + y1)) / 2;
  return {
    side,
    x0: left,
    y0: top,
    px: ([u, v]) => [left + u * side, top + v * side],
    unit: ([x, y]) => [(x - left) / side, (y - top) / side],
  };
}

/**
 * The facts of the caption (workbench/explain/caption_tables.py: STRUCTURE).
 * @param {any} meta
 * @param {number} at the model whose landmark is in focus
 * @param {number | null} i the landmark in focus
 * @param {{ i: number, v: number }[]} near its nearest encodings, as mostSimilar gives them
 */
export function structureFacts(meta, at, i, near) {
  const { face } = meta.models[at];
  const [first, second] = meta.models;
  const shown = i == null ? [] : near.slice(0, 3);
  return {
    tensor: meta.tensor,
    count: first.face.count,
    width: first.width,
    count2: second?.face.count ?? null,
    width2: second?.width ?? null,
    widget: true,
    landmark: i == null ? null : `${face.label[i]} (${i})`,
    points: face.count,
    near: shown.length,
    ...Object.fromEntries(
      [0, 1, 2].flatMap((k) => [
        [`near${k + 1}`, shown[k] ? face.label[shown[k].i] : null],
        [`cosine${k + 1}`, shown[k]?.v ?? null],
      ]),
    ),
  };
}
