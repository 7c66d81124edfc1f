/* From a photograph back to the plane, by points that are known on both; pure. */

const NEAREST = 24; // pairs that decide on a place: those around it

/**
 * The affine map that fits the pairs around a place best, nearer ones more (moving least squares, weights 1 / d^2):
 * exact at the pairs, smooth between them.
 * @param {number[][]} from places on the photograph
 * @param {number[][]} to the same on the plane
 * @returns {(place: number[]) => number[] | null} null with fewer than three pairs
 */
export function warp(from, to) {
  if (from.length < 3) return () => null;
  return (place) => {
    const near = from
      .map((p, i) => ({ i, d: (p[0] - place[0]) ** 2 + (p[1] - place[1]) ** 2 }))
      .sort((a, b) => a.d - b.d)
      .slice(0, NEAREST);
    if (near[0].d < 1e-12) return [...to[near[0].i]];
    const weights = near.map(({ d }) => 1 / d);
    const sum = weights.reduce((a, b) => a + b, 0);
    const mean = (list) =>
      [0, 1].map((c) => near.reduce((total, { i }, k) => total + weights[k] * list[i][c], 0) / sum);
    const [p, q] = [mean(from), mean(to)];
    let [a, b, d] = [0, 0, 0];
    const cross = [0, 0, 0, 0];
    near.forEach(({ i }, k) => {
      const [x, y] = [from[i][0] - p[0], from[i][1] - p[1]];
      const [u, v] = [to[i][0] - q[0], to[i][1] - q[1]];
      const w = weights[k];
      a += w * x * x;
      b += w * x * y;
      d += w * y * y;
      cross[0] += w * x * u;
      cross[1] += w * x * v;
      cross[2] += w * y * u;
      cross[3] += w * y * v;
    });
    const scale = 1e-9 * (a + d);
    const det = (a + scale) * (d + scale) - b * b;
    const [x, y] = [place[0] - p[0], place[1] - p[1]];
    const [r, s] = [((d + scale) * x - b * y) / det, ((a + scale) * y - b * x) / det];
    return [q[0] + r * cross[0] + s * cross[2], q[1] + r * cross[1] + s * cross[3]];
  };
}
