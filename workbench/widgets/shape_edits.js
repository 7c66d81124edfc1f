/* A drawing and what is done to it; pure. A drawing is {name, template, points: [[x, y]], ids, origin (index in the
template or -1), groups: [{name, part, closed, ids, colour?, fill?}], root (when it was begun: ids count anew from
there)}; ids stay with their points through every edit. */

/** Points that are not farther from their template's place than this stand there. */
export const SAME = 5e-4;

/**
 * @param {number[]} one
 * @param {number[]} other
 */
export const gap = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

export function fromTemplate(name, template) {
  if (!template) return { name: "shape", template: "", points: [], ids: [], origin: [], groups: [], root: Date.now() };
  const ids = template.points.map((_, i) => i);
  return {
    name: template.face.name,
    template: name,
    points: template.points.map((p) => [...p]),
    ids,
    origin: [...ids],
    groups: template.groups.map((g) => ({ ...g, ids: [...g.ids] })),
    root: Date.now(),
  };
}

export const ownName = (d) => (d.name.endsWith(", edited") ? d.name : `${d.name}, edited`);

/* One point more; the drawing as it was when it is full. */
export function addPoint(d, [x, y], most) {
  if (d.points.length >= most) return d;
  // No id is used twice, so that nothing found for another point shows as this one.
  const last = Math.max(d.last ?? -1, ...d.ids) + 1;
  return {
    ...d,
    last,
    name: ownName(d),
    points: [...d.points, [x, y]],
    ids: [...d.ids, last],
    origin: [...d.origin, -1],
  };
}

export function dropPoints(d, gone) {
  const keep = d.ids.map((id, i) => (gone.has(id) ? -1 : i)).filter((i) => i >= 0);
  const pick = (list) => keep.map((i) => list[i]);
  const groups = d.groups.map((g) => ({ ...g, ids: g.ids.filter((id) => !gone.has(id)) })).filter((g) => g.ids.length);
  return { ...d, name: ownName(d), points: pick(d.points), ids: pick(d.ids), origin: pick(d.origin), groups };
}

/* Together, as far as all of them stay within lo..hi. */
export function movePoints(d, which, dx, dy, lo, hi) {
  const moved = d.points.filter((_, i) => which.has(d.ids[i]));
  const room = (delta, k) =>
    Math.max(lo - Math.min(...moved.map((p) => p[k])), Math.min(hi - Math.max(...moved.map((p) => p[k])), delta));
  if (!moved.length) return d;
  const u = room(dx, 0);
  const v = room(dy, 1);
  return { ...d, name: ownName(d), points: d.points.map((p, i) => (which.has(d.ids[i]) ? [p[0] + u, p[1] + v] : p)) };
}

/* A name that no other group has: a number is put behind it. */
export function unusedName(d, name, except = null) {
  const taken = new Set(d.groups.filter((g) => g !== except).map((g) => g.name));
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) if (!taken.has(`${name} ${n}`)) return `${name} ${n}`;
}

/* A line of one's own through points in the order in which they were chosen. */
export function nameGroup(d, name, which, closed = false) {
  const ids = [...which].filter((id) => d.ids.includes(id));
  if (!ids.length) return d;
  return { ...d, name: ownName(d), groups: [...d.groups, { name: unusedName(d, name), part: "other", closed, ids }] };
}

/* The groups whose points are all chosen; of those the ones that the chosen points make up as a whole come first. */
export function groupsOf(d, which) {
  const whole = d.groups.filter((g) => g.ids.length && g.ids.every((id) => which.has(id)));
  return whole.sort((a, b) => b.ids.length - a.ids.length);
}

/* A group with something else: a colour, a name, closed, filled, another order; null ends it. */
export function changeGroup(d, group, change) {
  const at = d.groups.indexOf(group);
  if (at < 0) return d;
  const next = change && { ...group, ...change };
  if (next) next.name = unusedName(d, next.name, group);
  return { ...d, name: ownName(d), groups: d.groups.flatMap((g, k) => (k === at ? (next ? [next] : []) : [g])) };
}

/* What of the plane is in view: a little more than [0, 1], and every point. */
export function planeSpan(points, reach) {
  const all = points.flat();
  return [
    Math.max(-reach, Math.min(-0.06, ...all.map((v) => v - 0.03))),
    Math.min(1 + reach, Math.max(1.06, ...all.map((v) => v + 0.03))),
  ];
}

/* How far a point lies from where its template has it; null for a point of one's own. */
export function offAnchor(d, i, template) {
  const at = template?.points[d.origin[i]];
  return at ? Math.hypot(d.points[i][0] - at[0], d.points[i][1] - at[1]) : null;
}

/* Whether a place lies in a convex polygon whose corners go round one way. */
export function within([x, y], hull) {
  let sign = 0;
  for (let i = 0; i < hull.length; i++) {
    const [ax, ay] = hull[i];
    const [bx, by] = hull[(i + 1) % hull.length];
    const side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
    if (Math.abs(side) < 1e-9) continue;
    if (sign && Math.sign(side) !== sign) return false;
    sign = Math.sign(side);
  }
  return hull.length > 2;
}

/* Colour, name, whether the point stands where its template has it, and whether what is found of it is a guess:
beyond the hull of all anchors, or far from each. */
export function pointLook(d, i, meta) {
  const template = meta.templates[d.template];
  const k = d.origin[i];
  const group = d.groups.find((g) => g.ids.includes(d.ids[i]));
  const off = offAnchor(d, i, template);
  const part = group && group.part !== "other" ? meta.colours[group.part] : null;
  const { anchors = [], hull = [], far = Infinity } = meta;
  const anchor = off != null && off < SAME;
  const away = anchor ? 0 : anchors.reduce((least, a) => Math.min(least, gap(a, d.points[i])), Infinity);
  const outside = !anchor && hull.length > 2 && !within(d.points[i], hull);
  const trust = { anchor, away, outside, guess: outside || (away > far && anchors.length > 0) };
  return off == null
    ? { colour: group?.colour || part || meta.own, label: group ? group.name : "a point of your own", ...trust }
    : { colour: group?.colour || template.face.colour[k], label: template.face.label[k], ...trust };
}

/* Undo and redo over whole drawings, without a limit. `kept` is what `all` gave before. */
export function history(kept = null) {
  let past = kept?.past ?? [];
  let future = kept?.future ?? [];
  return {
    push(d) {
      past = [...past, d];
      future = [];
    },
    undo(now) {
      if (!past.length) return null;
      future.push(now);
      return past.pop();
    },
    redo(now) {
      if (!future.length) return null;
      past.push(now);
      return future.pop();
    },
    adopt(other) {
      past = other.past ?? [];
      future = other.future ?? [];
    },
    get all() {
      return { past, future };
    },
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };
}

/* Whether the browser's kept drawing is to be taken up: nothing was drawn in this session yet, or this tab drew on. */
export const newer = (stored, state, tab) =>
  Boolean(stored?.at) && Array.isArray(stored.points) && (!state.at || (stored.tab === tab && stored.at > state.at));

/* What is told of a point: lines for a tooltip. */
export function describe(v, id) {
  const i = v.drawing.ids.indexOf(id);
  const k = v.found ? v.found.ids.indexOf(id) : -1;
  const { label, anchor, away, outside } = pointLook(v.drawing, i, v.meta);
  const found = () => `${v.found.photo[k].map((x) => x.toFixed(1)).join(", ")} px`;
  const trust = anchor ? "an anchor that was trained" : outside ? "beyond all anchors: a guess" : "nearest anchor";
  return [
    `${i}  ${label}`,
    ["on the plane", v.drawing.points[i].map((x) => x.toFixed(3)).join(", ")],
    ...(k >= 0 ? [["in the photograph", found()]] : []),
    ...(k >= 0 && v.found.spread
      ? [["mirrored, cropped otherwise", `moves by ${(100 * v.found.spread[k]).toFixed(2)} % of the crop`]]
      : []),
    anchor || !Number.isFinite(away) ? [trust] : [trust, `${(100 * away).toFixed(1)} % of the side`],
  ];
}
