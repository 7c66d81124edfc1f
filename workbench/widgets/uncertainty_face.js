/* The face with ellipses, patches, path and occluder; `v` is what uncertainty_state.js makes. */

import { drawOccluder } from "./cover.js";
import { drawDots, drawLines, drawPhoto, drawRing, drawTag, drawTruth } from "./draw.js";
import { fitFace } from "./geometry.js";
import { ellipseOf, lookOf } from "./uncertainty_numbers.js";

const VEIL = "rgb(12 12 16 / .3)";

export function drawFace(ctx, v, w, h) {
  const { meta, s } = v;
  const { face } = meta;
  const view = fitFace(w, h);
  const f = v.focus();
  const at = v.at();
  const { points } = v.shown;
  drawPhoto(ctx, view, v.photo);
  drawOccluder(ctx, v, view);
  ctx.fillStyle = VEIL;
  ctx.fillRect(0, 0, w, h);
  if (s.path) drawLines(ctx, view, meta.path[0], face, { alpha: 0.35, width: 1, colour: "#fff" });
  drawLines(ctx, view, points, face, { alpha: v.others(0.28, 0.4) * 0.5 + 0.1, width: 1 });
  if (s.patches) drawPatches(ctx, v, view, f);
  if (s.path) drawPath(ctx, v, view, f);
  if (meta.baseline && at) drawShifts(ctx, v, view, meta.baseline.points[at[0]][at[1]]);
  if (s.ellipses && at) drawEllipses(ctx, v, view, f);
  drawDots(ctx, view, points, face, {
    radius: (i) => (i === f ? 4.4 : 1.9),
    alpha: (i) => (i === f ? 1 : v.others(0.5, 0.8)),
  });
  drawTruth(ctx, view, meta, points);
  if (f == null) return;
  const [x, y] = view.px(points[f]);
  drawRing(ctx, x, y, 4.4, "#fff", 1.6);
  if (f === s.landmark && v.hover == null) drawRing(ctx, x, y, 8, "#fff", 1.2);
  drawTag(ctx, `${face.label[f]} · ${f}`, x, y, w, h);
}

function strokeLine(ctx, points) {
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.stroke();
}

function drawShifts(ctx, v, view, from) {
  ctx.save();
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.4;
  ctx.lineCap = "round";
  ctx.globalAlpha = v.others(0.3, 0.85) * 0.9;
  v.shown.points.forEach((p, i) => strokeLine(ctx, [view.px(from[i]), view.px(p)]));
  ctx.restore();
}

/* At 3, 2 and 1 sigma; the innermost has a light rim that keeps it apart from any skin. */
function drawEllipses(ctx, v, view, f) {
  const sigmas = v.sigmas();
  ctx.save();
  v.shown.points.forEach((p, i) => {
    const strength = i === f ? 1.25 : v.others(0.22, 0.5);
    const colour = v.meta.face.colour[i];
    ctx.fillStyle = colour;
    for (const k of [3, 2, 1]) {
      const [x, y, rx, ry] = ellipseOf(view, p, sigmas[i], k);
      ctx.beginPath();
      ctx.ellipse(x, y, rx, ry, 0, 0, 7);
      ctx.globalAlpha = 0.1 * strength;
      ctx.fill();
      if (k === 1) {
        ctx.globalAlpha = 0.22 * strength;
        ctx.strokeStyle = "#fff";
        ctx.lineWidth = 2.4;
        ctx.stroke();
      }
      ctx.globalAlpha = Math.min(1, [0, 0.95, 0.6, 0.35][k] * strength);
      ctx.strokeStyle = colour;
      ctx.lineWidth = k === 1 ? 1.3 : 0.9;
      ctx.stroke();
    }
  });
  ctx.restore();
}

/* The patches of the stage that is shown or, of the landmark in focus, those of all stages with their numbers. */
function drawPatches(ctx, v, view, f) {
  const { rects, states, looks } = v.meta;
  const drawPatch = (rect, state, alpha) => {
    const look = lookOf(looks, state);
    const [x, y] = view.px(rect.slice(0, 2));
    ctx.globalAlpha = alpha;
    ctx.strokeStyle = look.colour;
    ctx.lineWidth = look.width;
    ctx.setLineDash(look.dash);
    ctx.strokeRect(x, y, rect[2] * view.side, rect[3] * view.side);
    return { x, y, look };
  };
  ctx.save();
  if (f == null) {
    const stage = v.stage();
    rects[stage].forEach((rect, i) => drawPatch(rect, states[stage][i], states[stage][i] === "first" ? 0.4 : 0.75));
  } else {
    ctx.font = "600 11px system-ui";
    ctx.textBaseline = "bottom";
    rects.forEach((patches, stage) => {
      const { x, y, look } = drawPatch(patches[f], states[stage][f], 1);
      ctx.fillStyle = look.colour;
      ctx.fillText(`${stage + 1}`, x + 2, y - 1);
    });
  }
  ctx.restore();
}

function drawPath(ctx, v, view, f) {
  const { path, shape, face } = v.meta;
  const last = Math.floor(v.t);
  ctx.save();
  ctx.lineJoin = ctx.lineCap = "round";
  v.shown.points.forEach((now, i) => {
    ctx.globalAlpha = i === f ? 1 : v.others(0.2, 0.5) * 0.85;
    ctx.strokeStyle = face.colour[i];
    ctx.lineWidth = i === f ? 2.2 : 1.2;
    strokeLine(ctx, [...path.slice(0, last + 1).map((points) => view.px(points[i])), view.px(now)]);
    const [x, y] = view.px(path[0][i]);
    drawRing(ctx, x, y, i === f ? 3.4 : 1.6, "#fff", 1);
  });
  ctx.globalAlpha = 1;
  ctx.fillStyle = "#fff";
  for (let k = shape[1]; f != null && k <= last; k += shape[1]) {
    const [x, y] = view.px(path[k][f]);
    ctx.beginPath();
    ctx.arc(x, y, 3, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}
