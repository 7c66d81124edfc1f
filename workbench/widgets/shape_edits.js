/* A drawing and what is done to it; pure. A drawing is {name, template, points: [[x, y]], ids, origin (index in the
template or -1), groups: [{name, part, closed, ids}]}; ids stay with their points through every edit. */

/** Points that are not farther from their template's place than this stand there. */
export const SAME = 5e-4;

export function fromTemplate(name, template) {
  if (!template) return { name: "shape", template: "", points: [], ids: [], origin: [], groups: [] };
  const ids = template.points.map((_, i) => i);
  return {
    name: template.face.name,
    template: name,
    points: template.points.map((p) => [...p]),
    ids,
    origin: [...ids],
    groups: template.groups.map((g) => ({ name: g.name, part: g.part, closed: g.closed, ids: [...g.ids] })),
  };
}

const ownName = (d) => (d.name.endsWith(", edited") ? d.name : `${d.name}, edited`);

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

/* A line of one's own through points in the order of their numbers; the same name again replaces it, no points end
it. */
export function nameGroup(d, name, which) {
  const rest = d.groups.filter((g) => g.name !== name);
  const ids = d.ids.filter((id) => which.has(id));
  return { ...d, name: ownName(d), groups: ids.length ? [...rest, { name, part: "other", closed: false, ids }] : rest };
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

/* Colour, name and whether the point stands where its template has it. */
export function pointLook(d, i, meta) {
  const template = meta.templates[d.template];
  const k = d.origin[i];
  const group = d.groups.find((g) => g.ids.includes(d.ids[i]));
  const away = offAnchor(d, i, template);
  const part = group && group.part !== "other" ? meta.colours[group.part] : null;
  return away == null
    ? { colour: part || meta.own, label: group ? group.name : "a point of your own", anchor: false }
    : { colour: template.face.colour[k], label: template.face.label[k], anchor: away < SAME };
}

/* Undo and redo over whole drawings. */
export function history(most = 200) {
  let past = [];
  let future = [];
  return {
    push(d) {
      past = [...past, d].slice(-most);
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
