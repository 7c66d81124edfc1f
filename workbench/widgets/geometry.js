/* Places on a face and along an axis; pure. Face coordinates are [0, 1] of the crop. */

/** float16 (little-endian) as Float32Array. */
export function decodeHalf(bytes) {
  const words = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.byteLength & ~1)));
  const out = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const h = words[i];
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const sign = h & 32768 ? -1 : 1;
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction ? NaN : sign * Infinity;
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

/**
 * @param {number[][]} points
 * @param {number[]} place
 * @param {number} [limit]
 * @returns {number} the index of the nearest one, -1 when all are farther than the limit
 */
export function nearestPoint(points, [x, y], limit = Infinity) {
  let best = -1;
  let least = limit;
  points.forEach(([u, v], i) => {
    const d = Math.hypot(u - x, v - y);
    if (d <= least && (best < 0 || d < least)) {
      best = i;
      least = d;
    }
  });
  return best;
}

/** Which way the arrow keys go: [x, y]. */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/* The nearest landmark in the direction of an arrow key; stays when there is none. */
export function stepPoint(points, from, key) {
  const way = ARROWS[key];
  if (!way) return from;
  if (from == null || from < 0) return 0;
  let best = from;
  let least = Infinity;
  points.forEach(([x, y], i) => {
    const dx = x - points[from][0];
    const dy = y - points[from][1];
    const along = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
    if (i === from || along <= 1e-9 || aside > 2 * along) return;
    const cost = along + 2 * aside;
    if (cost < least) {
      least = cost;
      best = i;
    }
  });
  return best;
}

/**
 * @typedef {{ side: number, x0: number, y0: number, px: (p: number[]) => number[],
 *   unit: (p: number[]) => number[] }} View
 *   px: from [0, 1] of the crop to pixels; unit: back
 *
 * The largest square in the middle of w x h.
 * @param {number} w
 * @param {number} h
 * @returns {View}
 */
export function fitFace(w, h, pad = 0) {
  const side = Math.max(1, Math.min(w, h) - 2 * pad);
  const x0 = (w - side) / 2;
  const y0 = (h - side) / 2;
  return {
    side,
    x0,
    y0,
    px: ([u, v]) => [x0 + u * side, y0 + v * side],
    unit: ([x, y]) => [(x - x0) / side, (y - y0) / side],
  };
}

/**
 * Names along an axis of `side` pixels, none on another. A name may stick out of its bracket as long as its middle
 * stays near the bracket's; where not all fit, all are shortened, then the narrowest brackets go without.
 * @param {any[]} items {at (wanted centre), room (length of its bracket), widths (of the name and of a shorter one)}
 * @param {number} side
 * @param {number} [gap]
 * @returns {{ item: any, short: number, at: number }[]} those that find a place
 */
export function placeLabels(items, side, gap = 5) {
  const lay = (list, short) => {
    const at = list.map((item) => item.at);
    const half = list.map((item) => item.widths[short] / 2);
    list.forEach((_, i) => {
      at[i] = Math.max(at[i], i ? at[i - 1] + half[i - 1] + gap + half[i] : half[i]);
    });
    for (let i = list.length - 1; i >= 0; i--)
      at[i] = Math.min(at[i], i + 1 < list.length ? at[i + 1] - half[i + 1] - gap - half[i] : side - half[i]);
    return list.every((item, i) => Math.abs(at[i] - item.at) <= item.room / 4)
      ? list.map((item, i) => ({ item, short, at: at[i] }))
      : null;
  };
  const least = (list) => list.reduce((a, b) => (b.room < a.room ? b : a));
  const whole = lay(items, 0);
  if (whole) return whole;
  for (let list = items; ; ) {
    const found = lay(list, 1);
    if (found) return found;
    const out = least(list);
    list = list.filter((item) => item !== out);
  }
}

/** x kept within lo and hi. */
export const between = (x, lo, hi) => Math.max(lo, Math.min(hi, x));
