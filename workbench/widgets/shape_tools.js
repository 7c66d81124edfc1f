/* What the Shape editor's tools make of strokes and selections; pure. Places are [x, y] on the face plane, a drawing is
that of shape_edits.js. */

import { gap, movePoints, ownName, unusedName } from "./shape_edits.js";

const TWIN = 0.02; // how far a point may lie from its mirror image's place and still be its twin

/**
 * A stroke as `count` points at equal distances along it (arc length); a closed one returns to its first point, which
 * is not repeated.
 * @param {number[][]} stroke
 * @param {number} count
 * @param {boolean} [closed]
 */
export function resample(stroke, count, closed = false) {
  const line = closed ? [...stroke, stroke[0]] : stroke;
  const ends = [0];
  for (let i = 1; i < line.length; i++) ends.push(ends[i - 1] + gap(line[i - 1], line[i]));
  const whole = ends.at(-1);
  if (!whole || count < 2) return line.slice(0, 1).map((p) => [...p]);
  const step = whole / (closed ? count : count - 1);
  let i = 1;
  return Array.from({ length: count }, (_, k) => {
    const at = Math.min(k * step, whole);
    while (i < line.length - 1 && ends[i] < at) i += 1;
    const t = (at - ends[i - 1]) / (ends[i] - ends[i - 1] || 1);
    return [0, 1].map((c) => line[i - 1][c] + t * (line[i][c] - line[i - 1][c]));
  });
}

/* An ellipse in the box between two corners, `count` points at equal distances from the top on, clockwise. */
export function ellipse([x0, y0], [x1, y1], count) {
  const [cx, cy, rx, ry] = [(x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2];
  const fine = Array.from({ length: 360 }, (_, k) => {
    const turn = (k / 180) * Math.PI;
    return [cx + rx * Math.sin(turn), cy - ry * Math.cos(turn)];
  });
  return resample(fine, count, true);
}

/* About `count` points of a lattice in the box between two corners, with cells as square as they get; row by row. */
export function lattice([x0, y0], [x1, y1], count) {
  const [w, h] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const columns = Math.max(1, Math.min(count, Math.round(Math.sqrt((count * w) / (h || 1e-9)))));
  const rows = Math.max(1, Math.round(count / columns));
  const along = (a, b, n, k) => (n > 1 ? a + ((b - a) * k) / (n - 1) : (a + b) / 2);
  return Array.from({ length: rows * columns }, (_, k) => [
    along(Math.min(x0, x1), Math.max(x0, x1), columns, k % columns),
    along(Math.min(y0, y1), Math.max(y0, y1), rows, Math.floor(k / columns)),
  ]);
}

/* A drawing with further points, joined by a line where there is more than one and `group` names it; -> {drawing, ids}.
What would pass `most` points is left out. */
export function addPoints(d, places, most, group = null) {
  const fit = places.slice(0, Math.max(0, most - d.points.length));
  const first = Math.max(d.last ?? -1, ...d.ids) + 1;
  const ids = fit.map((_, k) => first + k);
  if (!ids.length) return { drawing: d, ids };
  const joined = group && ids.length > 1 ? [{ part: "other", ...group, name: unusedName(d, group.name), ids }] : [];
  const drawing = {
    ...d,
    last: ids.at(-1),
    name: ownName(d),
    points: [...d.points, ...fit],
    ids: [...d.ids, ...ids],
    origin: [...d.origin, ...ids.map(() => -1)],
    groups: [...d.groups, ...joined],
  };
  return { drawing, ids };
}

const placeOf = (d, id) => d.points[d.ids.indexOf(id)];
const middle = (places) => [0, 1].map((c) => places.reduce((sum, p) => sum + p[c], 0) / places.length);

/* The drawing with some points elsewhere, kept within lo..hi. */
function replaced(d, which, place, lo, hi) {
  const keep = (x) => Math.max(lo, Math.min(hi, x));
  const points = d.points.map((p, i) => (which.has(d.ids[i]) ? place(p, d.ids[i]).map(keep) : p));
  return { ...d, name: ownName(d), points };
}

/* Turned by `angle` (radians, clockwise as seen) and scaled by `by` about the chosen points' middle. */
export function turned(d, which, angle, by, [lo, hi]) {
  const places = [...which].map((id) => placeOf(d, id)).filter(Boolean);
  if (!places.length) return d;
  const [cx, cy] = middle(places);
  const [cos, sin] = [by * Math.cos(angle), by * Math.sin(angle)];
  return replaced(
    d,
    which,
    ([x, y]) => [cx + cos * (x - cx) - sin * (y - cy), cy + sin * (x - cx) + cos * (y - cy)],
    lo,
    hi,
  );
}

/* All on one line: the mean of the coordinate `axis` (0 x, 1 y). */
export function aligned(d, which, axis, [lo, hi]) {
  const mean = middle([...which].map((id) => placeOf(d, id)))[axis];
  return replaced(d, which, (p) => p.map((x, k) => (k === axis ? mean : x)), lo, hi);
}

/* At equal distances along the line from the first to the last that was chosen. */
export function distributed(d, which, [lo, hi]) {
  const order = [...which].filter((id) => d.ids.includes(id));
  if (order.length < 3) return d;
  const even = resample(
    order.map((id) => placeOf(d, id)),
    order.length,
  );
  return replaced(d, which, (_, id) => even[order.indexOf(id)], lo, hi);
}

/* The chosen points once more, `by` aside, with the groups that they make up; -> {drawing, ids}. */
export function copied(d, which, by, most, reflect = (p) => [p[0] + by, p[1] + by], suffix = "") {
  const order = d.ids.filter((id) => which.has(id));
  const { drawing, ids } = addPoints(
    d,
    order.map((id) => reflect(placeOf(d, id))),
    most,
  );
  const twin = new Map(ids.map((id, k) => [order[k], id]));
  let out = drawing;
  for (const group of d.groups) {
    const members = group.ids.filter((id) => twin.has(id));
    if (members.length < 2 || members.length < group.ids.length) continue;
    const name = unusedName(out, `${group.name}${suffix}`);
    out = {
      ...out,
      groups: [...out.groups, { ...group, name, part: "other", ids: members.map((id) => twin.get(id)) }],
    };
  }
  return { drawing: out, ids };
}

export const mirror = ([x, y], axis) => [2 * axis - x, y];

/* Copies of the chosen points beyond the axis, but for those that have their twin there already; -> {drawing, ids}. */
export function mirrored(d, which, axis, most) {
  const lonely = new Set([...which].filter((id) => twinOf(d, id, axis) == null));
  return copied(d, lonely, 0, most, (p) => mirror(p, axis), ", mirrored");
}

/* The id that stands where the mirror image of another lies; null for none, and for a point on the axis. */
export function twinOf(d, id, axis, template = null) {
  const i = d.ids.indexOf(id);
  if (i < 0) return null;
  const k = template?.flip?.[d.origin[i]];
  if (k != null && k !== d.origin[i] && d.origin.includes(k)) return d.ids[d.origin.indexOf(k)];
  const wanted = mirror(d.points[i], axis);
  let best = null;
  let least = TWIN;
  d.points.forEach((p, j) => {
    const away = gap(p, wanted);
    if (j !== i && away < least) {
      least = away;
      best = d.ids[j];
    }
  });
  return best;
}

/* Moves the chosen points and, mirrored, the twins that are not chosen themselves. */
export function moveTwins(d, which, twins, dx, dy, lo, hi) {
  const moved = movePoints(d, which, dx, dy, lo, hi);
  return twins.size ? movePoints(moved, twins, -dx, dy, lo, hi) : moved;
}

/* The nearest anchor within `reach` of a place, else the place itself. */
export function snapped(place, anchors, reach) {
  let best = place;
  let least = reach;
  for (const anchor of anchors) {
    const away = gap(anchor, place);
    if (away < least) {
      least = away;
      best = [...anchor];
    }
  }
  return best;
}
