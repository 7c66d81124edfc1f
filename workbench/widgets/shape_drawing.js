/* The plane and the photograph of the Shape editor. `v` is what is shown: {meta, drawing, found, photo, average, chosen
(ids), hover (id | null), pointed ("plane" | "photo" | ""), span, view, band, stroke, numbers}. */

import { drawDots, drawLines, drawPhoto, drawRing, drawTag } from "./draw.js";
import { fitFace } from "./geometry.js";
import { offAnchor, pointLook, SAME } from "./shape_edits.js";
import { strokeLook } from "./shape_strokes.js";

/**
 * A view of the square that begins at x, y in w x h.
 * @param {number} w
 * @param {number} h
 * @param {number[]} box x, y and side
 * @returns {import("./geometry.js").View & { scale: number }}
 */
function viewOf(w, h, [x0, y0, side]) {
  const view = fitFace(w, h);
  return {
    ...view,
    px: ([x, y]) => view.px([(x - x0) / side, (y - y0) / side]),
    unit: (p) => view.unit(p).map((t, k) => [x0, y0][k] + t * side),
    scale: view.side / side,
  };
}
export const planeBox = (v) => v.view ?? [v.span[0], v.span[0], v.span[1] - v.span[0]];
export const planeView = (v, w, h) => viewOf(w, h, planeBox(v));
export const photoView = (v, w, h) => viewOf(w, h, [-v.meta.margin, -v.meta.margin, 1 + 2 * v.meta.margin]);

/* The chosen points' box on the plane: its corners, middle and how many they are. */
export function boundsOf(v) {
  const places = v.drawing.points.filter((_, i) => v.chosen.has(v.drawing.ids[i]));
  const [xs, ys] = [0, 1].map((k) => places.map((p) => p[k]));
  const middle = [xs, ys].map((list) => list.reduce((a, b) => a + b, 0) / (list.length || 1));
  return {
    lo: [Math.min(...xs), Math.min(...ys)],
    hi: [Math.max(...xs), Math.max(...ys)],
    middle,
    count: places.length,
  };
}

/* Where the chosen points are taken hold of, in pixels: corners scale, the knob above turns. */
export function handlesOf(v, view) {
  if (v.chosen.size < 2 || v.tool !== "select" || !v.meta.live) return [];
  const { lo, hi, count } = boundsOf(v);
  if (count < 2) return [];
  const [[x0, y0], [x1, y1]] = [view.px(lo), view.px(hi)];
  const pad = 12;
  const corners = [
    [x0 - pad, y0 - pad],
    [x1 + pad, y0 - pad],
    [x1 + pad, y1 + pad],
    [x0 - pad, y1 + pad],
  ];
  const knob = { kind: "turn", at: [(x0 + x1) / 2, y0 - pad - 18] };
  return [...corners.map((at) => ({ kind: "scale", at })), knob];
}

/* The crop alone. */
export const faceView = (side) => viewOf(side, side, [0, 0, 1]);

/** id -> place: on the plane now, on the photograph as last found, or on the further face of that number. */
export function placesOf(v, where) {
  const found = v.found || { ids: [], points: [], others: [] };
  const film = v.step == null ? null : v.meta.film;
  if (where === "plane") {
    return new Map(v.drawing.ids.map((id, k) => [id, (film ? film.plane[v.step] : v.drawing.points)[k]]));
  }
  const face = where === "photo" ? 0 : where + 1;
  const list = film ? film.points[v.step][face] : face ? found.others?.[face - 1] : found.points;
  const places = new Map(found.ids.flatMap((id, k) => (list?.[k] ? [[id, list[k]]] : [])));
  if (where === "photo" && !film) for (const [id, place] of v.marks ?? []) if (places.has(id)) places.set(id, place);
  return places;
}

/* Where a person has put points on the photograph: a square, and a line from where they were found. */
function drawMarks(ctx, v, view) {
  if (!v.marks?.size || !v.found || v.step != null) return;
  ctx.save();
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.4;
  for (const [id, place] of v.marks) {
    const k = v.found.ids.indexOf(id);
    if (k < 0 || !v.drawing.ids.includes(id)) continue;
    const [x, y] = view.px(place);
    strokePath(ctx, [view.px(v.found.points[k]), [x, y]]);
    ctx.strokeRect(x - 7, y - 7, 14, 14);
  }
  ctx.restore();
}

/* Where the hovered point looks on a face: the mean cross-attention, cell by cell, more opaque where larger. */
function drawLook(ctx, v, view, face) {
  const { looks } = v.meta;
  const k = v.found ? v.found.ids.indexOf(v.hover) : -1;
  if (!looks || !v.lookMap || k < 0 || face >= looks.shape[0] || v.step != null) return;
  const [, points, h, w] = looks.shape;
  const first = (face * points + k) * h * w;
  for (let i = 0; i < h * w; i++) {
    const t = v.lookMap.bytes[first + i] / 255;
    if (t < 0.02) continue;
    const [x, y] = view.px([(i % w) / w, Math.floor(i / w) / h]);
    const [x1, y1] = view.px([((i % w) + 1) / w, (Math.floor(i / w) + 1) / h]);
    ctx.globalAlpha = Math.min(0.85, 0.15 + t);
    ctx.fillStyle = v.lookMap.css(t);
    ctx.fillRect(x, y, x1 - x + 0.5, y1 - y + 0.5);
  }
  ctx.globalAlpha = 1;
}

/* From where a point was found before the last edit to where it is found now. */
function drawTrails(ctx, v, view, where) {
  if (!v.before || !v.found || v.step != null || v.before.root !== v.found.root) return;
  const face = where === "photo" ? 0 : where + 1;
  const now = placesOf(v, where);
  const then = face ? v.before.others?.[face - 1] : v.before.points;
  ctx.save();
  ctx.strokeStyle = "rgb(255 255 255 / .75)";
  ctx.lineWidth = 1.2;
  v.before.ids.forEach((id, k) => {
    if (!now.has(id) || !then?.[k]) return;
    const [a, b] = [view.px(then[k]), view.px(now.get(id))];
    if (Math.hypot(a[0] - b[0], a[1] - b[1]) > 2) strokePath(ctx, [a, b]);
  });
  ctx.restore();
}

/* The drawing on a further face. */
export function drawAnswer(ctx, v, look, view, k) {
  drawLook(ctx, v, view, k + 1);
  drawTrails(ctx, v, view, k);
  drawShape(ctx, v, look, view, k, view.side, view.side);
}

/* How far each answer moves when the face is seen otherwise, true to scale; what is hidden under its point is left. */
function drawSpread(ctx, v, view) {
  const { found } = v;
  if (!found?.spread || v.step != null) return;
  const radius = view.px([1, 0])[0] - view.px([0, 0])[0];
  ctx.save();
  ctx.strokeStyle = "rgb(255 255 255 / .65)";
  ctx.lineWidth = 1;
  found.points.forEach((p, k) => {
    if (!v.drawing.ids.includes(found.ids[k])) return;
    ctx.beginPath();
    ctx.arc(...view.px(p), found.spread[k] * radius, 0, 7);
    ctx.stroke();
  });
  ctx.restore();
}

function strokePath(ctx, points) {
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.stroke();
}

function strokeSquare(ctx, view, colour) {
  const [[x0, y0], [x1, y1]] = [view.px([0, 0]), view.px([1, 1])];
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.strokeRect(Math.round(x0) + 0.5, Math.round(y0) + 0.5, Math.round(x1 - x0), Math.round(y1 - y0));
}

/* The mean of the sample faces, each warped onto the plane, faint. */
function drawAverage(ctx, v, view) {
  const [[x0, y0], [x1, y1]] = [view.px([0, 0]), view.px([1, 1])];
  ctx.save();
  ctx.globalAlpha = 0.35;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(v.average, x0, y0, x1 - x0, y1 - y0);
  ctx.restore();
}

/* Beyond it nothing was ever trained. */
function drawHull(ctx, view, hull, look) {
  if (!hull || hull.length < 3) return;
  ctx.save();
  ctx.strokeStyle = look.faint;
  ctx.setLineDash([1, 4]);
  strokePath(ctx, [...hull, hull[0]].map(view.px));
  ctx.restore();
}

function drawHandles(ctx, v, view, look) {
  const handles = handlesOf(v, view);
  if (!handles.length) return;
  const [a, , c] = handles;
  ctx.save();
  ctx.strokeStyle = look.soft;
  ctx.fillStyle = look.ground;
  ctx.lineWidth = 1;
  ctx.strokeRect(a.at[0], a.at[1], c.at[0] - a.at[0], c.at[1] - a.at[1]);
  const knob = handles.at(-1).at;
  strokePath(ctx, [knob, [knob[0], a.at[1]]]);
  for (const { kind, at } of handles) {
    ctx.beginPath();
    if (kind === "turn") ctx.arc(...at, 5, 0, 7);
    else ctx.rect(at[0] - 4, at[1] - 4, 8, 8);
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

/* look: the colours of the page (page.js: theme). */
export function drawPlane(ctx, v, look, w, h) {
  const { meta, drawing } = v;
  const view = planeView(v, w, h);
  const guide = meta.templates[meta.guide];
  if (v.average && v.background) drawAverage(ctx, v, view);
  strokeSquare(ctx, view, look.hair);
  drawHull(ctx, view, meta.hull, look);
  if (guide) {
    drawLines(ctx, view, guide.points, guide.face, { alpha: 1, width: 1.2, colour: look.faint });
    drawDots(ctx, view, guide.points, { colour: guide.points.map(() => look.faint) }, { radius: 1.6, rim: null });
  }
  const template = meta.templates[drawing.template];
  ctx.strokeStyle = look.soft;
  ctx.lineWidth = 1;
  ctx.setLineDash([2, 3]);
  drawing.points.forEach((p, i) => {
    if (offAnchor(drawing, i, template) > SAME) {
      strokePath(ctx, [view.px(template.points[drawing.origin[i]]), view.px(p)]);
    }
  });
  ctx.setLineDash([]);
  drawShape(ctx, v, look, view, "plane", w, h);
  drawHandles(ctx, v, view, look);
  strokeLook(ctx, v, view, look);
  if (!v.band) return;
  const [[x0, y0], [x1, y1]] = v.band.map(view.px);
  ctx.strokeStyle = look.ink;
  ctx.setLineDash([4, 3]);
  ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
  ctx.setLineDash([]);
}

export function drawFound(ctx, v, look, w, h) {
  const { found } = v;
  const view = photoView(v, w, h);
  drawPhoto(ctx, view, v.photo, 0.12);
  strokeSquare(ctx, view, "rgb(255 255 255 / .3)"); // the crop that the network sees
  drawLook(ctx, v, view, 0);
  drawTrails(ctx, v, view, "photo");
  drawSpread(ctx, v, view);
  const k = found ? found.ids.indexOf(v.hover) : -1;
  if (k >= 0 && found.path && v.step == null) {
    // from the plane's place over every layer
    const path = found.path.map((points) => view.px(points[k]));
    ctx.strokeStyle = "rgb(255 255 255 / .8)";
    ctx.lineWidth = 1.2;
    strokePath(ctx, path);
    ctx.fillStyle = "#fff";
    for (const [x, y] of path.slice(0, -1)) {
      ctx.beginPath();
      ctx.arc(x, y, 2, 0, 7);
      ctx.fill();
    }
  }
  drawMarks(ctx, v, view);
  drawShape(ctx, v, look, view, "photo", w, h);
  if (v.missing) {
    ctx.fillStyle = "#fff";
    ctx.font = `13px ${look.font}`;
    ctx.fillText(v.missing, view.x0 + 12, view.y0 + 24);
  }
}

function drawShape(ctx, v, look, view, where, w, h) {
  const { drawing, chosen, hover } = v;
  const places = placesOf(v, where);
  const looks = new Map(drawing.ids.map((id, i) => [id, pointLook(drawing, i, v.meta)]));
  const count = drawing.points.length;
  const small = where !== "plane" && where !== "photo";
  const full = count > 150 ? 1.8 : count > 40 ? 3.2 : 4.2;
  const radius = small ? Math.max(1.2, 0.55 * full) : full;
  const ink = where === "plane" ? look.ink : "#fff";
  ctx.save();
  ctx.lineJoin = ctx.lineCap = "round";
  ctx.globalAlpha = where === "plane" ? 0.7 : 0.85;
  drawGroups(ctx, v, view, places);
  ctx.globalAlpha = 1;
  drawing.ids.forEach((id, k) => {
    if (!places.has(id)) return;
    const [x, y] = view.px(places.get(id));
    if (chosen.has(id) || id === hover) drawRing(ctx, x, y, radius + 4.5, ink, chosen.has(id) ? 2 : 1.2);
    drawPoint(ctx, x, y, radius, looks.get(id));
    if (!v.numbers || small || id === hover) return;
    ctx.font = `10px ${look.font}`;
    if (where === "photo") {
      ctx.strokeStyle = "rgb(0 0 0 / .7)";
      ctx.lineWidth = 2.5;
      ctx.strokeText(String(k), x + radius + 2, y - radius - 1);
    }
    ctx.fillStyle = ink;
    ctx.fillText(String(k), x + radius + 2, y - radius - 1);
  });
  if (hover != null && places.has(hover) && v.pointed !== where && !small) {
    const [x, y] = view.px(places.get(hover));
    drawTag(ctx, `${drawing.ids.indexOf(hover)}  ${looks.get(hover)?.label ?? ""}`, x, y, w, h, look.font);
  }
  ctx.restore();
}

function drawGroups(ctx, v, view, places) {
  const { meta, drawing } = v;
  const lines = meta.templates[drawing.template]?.face.lines || [];
  for (const group of drawing.groups) {
    const own = group.part === "other" ? meta.own : meta.colours[group.part];
    const colour = group.colour || lines.find((line) => line.name === group.name)?.colour || own;
    const ids = group.closed ? [...group.ids, group.ids[0]] : group.ids;
    const path = ids.filter((id) => places.has(id)).map((id) => view.px(places.get(id)));
    if (group.fill && path.length > 2) {
      ctx.save();
      ctx.globalAlpha = meta.fill ?? 0.38;
      ctx.fillStyle = colour;
      ctx.beginPath();
      for (const [x, y] of path) ctx.lineTo(x, y);
      ctx.fill();
      ctx.restore();
    }
    if (colour === meta.own) {
      // yellow on a light ground
      ctx.strokeStyle = "rgb(0 0 0 / .45)";
      ctx.lineWidth = 3.4;
      strokePath(ctx, path);
    }
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.4;
    strokePath(ctx, path);
  }
}

/* A disc where the template has it, else a diamond; a guess is hollow and dashed. */
function drawPoint(ctx, x, y, radius, { colour, anchor, guess }) {
  ctx.beginPath();
  if (anchor) ctx.arc(x, y, radius, 0, 7);
  else {
    const r = radius * 1.45;
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
    ctx.closePath();
  }
  if (guess) {
    ctx.strokeStyle = "rgb(0 0 0 / .7)";
    ctx.lineWidth = 3;
    ctx.stroke();
    ctx.setLineDash([2.5, 2]);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.6;
    ctx.stroke();
    ctx.setLineDash([]);
    return;
  }
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = "rgb(0 0 0 / .7)";
  ctx.lineWidth = 0.9;
  ctx.stroke();
}
