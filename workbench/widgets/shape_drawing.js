/* The plane and the photograph of the Shape editor. `v` is what is shown: {meta, drawing, found, photo, chosen (ids),
hover (id | null), pointed ("plane" | "photo" | ""), span, band, numbers}. */

import { drawDots, drawLines, drawPhoto, drawRing, drawTag } from "./draw.js";
import { fitFace } from "./geometry.js";
import { offAnchor, pointLook, SAME } from "./shape_edits.js";

/**
 * A view of [lo, hi] on both axes in w x h.
 * @param {number} w
 * @param {number} h
 * @param {number[]} span
 * @returns {import("./geometry.js").View & { scale: number }}
 */
function viewOf(w, h, [lo, hi]) {
  const view = fitFace(w, h);
  const reach = hi - lo;
  return {
    ...view,
    px: ([x, y]) => view.px([(x - lo) / reach, (y - lo) / reach]),
    unit: (p) => view.unit(p).map((t) => lo + t * reach),
    scale: view.side / reach,
  };
}
export const planeView = (v, w, h) => viewOf(w, h, v.span);
export const photoView = (v, w, h) => viewOf(w, h, [-v.meta.margin, 1 + v.meta.margin]);

/** id -> place, on the plane now or on the photograph as last found. */
export function placesOf(v, where) {
  const list = where === "plane" ? v.drawing : v.found || { ids: [], points: [] };
  return new Map(list.ids.map((id, k) => [id, list.points[k]]));
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

/* look: the colours of the page (page.js: theme). */
export function drawPlane(ctx, v, look, w, h) {
  const { meta, drawing } = v;
  const view = planeView(v, w, h);
  const guide = meta.templates[meta.guide];
  strokeSquare(ctx, view, look.hair);
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
  const k = found ? found.ids.indexOf(v.hover) : -1;
  if (k >= 0 && found.path) {
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
  drawShape(ctx, v, look, view, "photo", w, h);
}

function drawShape(ctx, v, look, view, where, w, h) {
  const { drawing, chosen, hover } = v;
  const places = placesOf(v, where);
  const looks = new Map(drawing.ids.map((id, i) => [id, pointLook(drawing, i, v.meta)]));
  const count = drawing.points.length;
  const radius = count > 150 ? 1.8 : count > 40 ? 3.2 : 4.2;
  const ink = where === "photo" ? "#fff" : look.ink;
  ctx.save();
  ctx.lineJoin = ctx.lineCap = "round";
  ctx.globalAlpha = where === "photo" ? 0.85 : 0.7;
  drawGroups(ctx, v, view, places);
  ctx.globalAlpha = 1;
  drawing.ids.forEach((id, k) => {
    if (!places.has(id)) return;
    const [x, y] = view.px(places.get(id));
    if (chosen.has(id) || id === hover) drawRing(ctx, x, y, radius + 4.5, ink, chosen.has(id) ? 2 : 1.2);
    drawPoint(ctx, x, y, radius, looks.get(id));
    if (!v.numbers || id === hover) return;
    ctx.font = `10px ${look.font}`;
    if (where === "photo") {
      ctx.strokeStyle = "rgb(0 0 0 / .7)";
      ctx.lineWidth = 2.5;
      ctx.strokeText(String(k), x + radius + 2, y - radius - 1);
    }
    ctx.fillStyle = ink;
    ctx.fillText(String(k), x + radius + 2, y - radius - 1);
  });
  if (hover != null && places.has(hover) && v.pointed !== where) {
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
    const colour = lines.find((line) => line.name === group.name)?.colour || own;
    const ids = group.closed ? [...group.ids, group.ids[0]] : group.ids;
    const path = ids.filter((id) => places.has(id)).map((id) => view.px(places.get(id)));
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

/* A disc where the template has it, else a diamond. */
function drawPoint(ctx, x, y, radius, { colour, anchor }) {
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
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = "rgb(0 0 0 / .7)";
  ctx.lineWidth = 0.9;
  ctx.stroke();
}
