/* The face under a tensor; `v` is what inside_state.js makes. */

import { drawShifts } from "./cover_modes.js";
import { drawArrow, drawDots, drawLines, drawPhoto, drawRing, drawTag, drawTruth, weightLook } from "./draw.js";
import { fitFace } from "./geometry.js";
import { drawCell, drawGrid, drawMapLegend, markAt } from "./heatmap.js";
import { drawFaceLegend } from "./legend.js";

export function drawFace(ctx, v, w, h) {
  const { kind, s, face } = v;
  const { drawing } = v.meta;
  const tall = h - drawing.legend;
  const view = fitFace(w, tall);
  const f = v.hover?.landmark ?? s.landmark;
  const covered = v.onGrid && kind !== "patches";
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, covered ? 0.1 : v.onLines ? drawing.dim : 0.2, v.under);
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.x0, view.y0, view.side, view.side);
  ctx.clip();
  if (covered) drawGrid(ctx, view, v.pictureOf(v.item(), true), s.opacity);
  if (kind === "patches") drawPatches(ctx, v, view);
  if (kind === "boxes") drawBoxes(ctx, v, view, f);
  if (!v.t) drawTrajectory(ctx, v, view, f);
  const lineLook = { alpha: covered ? 0.35 : 0.5, width: 1, colour: covered ? "#fff" : null };
  if (s.points) drawLines(ctx, view, v.points, face, lineLook);
  if (v.onLines) drawWeights(ctx, v, view);
  if (s.points) {
    const radius = (i) => (i === f ? 5 : 2.4);
    drawDots(ctx, view, v.points, face, { radius, rim: "rgb(255 255 255 / .8)" });
  }
  if (s.points) {
    drawShifts(ctx, view, v.meta.from, v.points);
    drawTruth(ctx, view, v.meta, v.points);
  }
  if (kind === "points") drawRecorded(ctx, v, view);
  const here = v.cellHere();
  if (here) drawCell(ctx, view, here.cell, v.shape[3], v.shape[4], here.rect);
  if (f != null && f < v.points.length) {
    const [x, y] = view.px(v.points[f]);
    drawTag(ctx, v.name(f), x, y, w, tall);
  }
  ctx.restore();
  drawStrip(ctx, v, w, h, here?.value);
}

function drawStrip(ctx, v, w, h, value) {
  const { drawing } = v.meta;
  const span = v.span();
  if (v.onLines) {
    const text = w > 420 ? `${v.t.value}, line width and colour` : v.t.value;
    const wedge = span.signed ? 0 : drawing.width[1];
    drawFaceLegend(ctx, w, h, drawing, { map: mapOf(v, span), lo: span.lo, hi: span.hi, wedge, text });
  } else if (span && v.onGrid) drawMapLegend(ctx, w, h, drawing, span, v.maps, v.t.value, markAt(value, span));
  else {
    ctx.fillStyle = drawing.nightMuted;
    ctx.font = "11px system-ui";
    ctx.textBaseline = "middle";
    ctx.fillText(v.meta.steps[v.step()].text, 18, h - drawing.legend / 2);
  }
}

const mapOf = (v, span) => (span.signed ? v.maps.signed : v.maps.plain);

function drawWeights(ctx, v, view) {
  const { drawing } = v.meta;
  const span = v.span();
  const place = (i) => view.px(v.points[i]);
  for (const e of v.linesNow()) {
    const look = weightLook(drawing, mapOf(v, span), e.w, span.hi, span.lo);
    drawArrow(ctx, place(e.q), place(e.k), { ...look, bend: drawing.bend });
  }
}

/* rect: x, y, width, height in [0, 1] of the crop. */
function strokeBox(ctx, view, [x, y, w, h]) {
  ctx.strokeRect(view.x0 + x * view.side, view.y0 + y * view.side, w * view.side, h * view.side);
}

function drawPatches(ctx, v, view) {
  const chosen = v.item();
  ctx.save();
  ctx.lineWidth = 1;
  ctx.globalAlpha = 0.35;
  (v.t.rects?.[v.stage()] ?? []).forEach((rect, i) => {
    if (i === chosen) return;
    ctx.strokeStyle = v.face.colour[i];
    strokeBox(ctx, view, rect);
  });
  ctx.restore();
  const rect = chosen == null ? null : v.rectOf(chosen);
  if (rect) drawGrid(ctx, view, v.pictureOf(chosen), v.s.opacity, rect);
}

function drawBoxes(ctx, v, view, f) {
  const values = v.block();
  ctx.save();
  for (let i = 0; i < v.count; i++) {
    ctx.strokeStyle = v.face.colour[i] ?? "#fff";
    ctx.globalAlpha = f == null ? 0.6 : f === i ? 1 : 0.15;
    ctx.lineWidth = f === i ? 2.2 : 1.1;
    strokeBox(ctx, view, values.subarray(4 * i, 4 * i + 4));
  }
  ctx.restore();
}

/** The colour of a stage of the landmarks' trajectory. */
export const stageColour = (v, stage) => v.maps.plain.css(0.4 + 0.55 * (stage / Math.max(1, v.meta.ends.length - 1)));

/* The trajectory up to the step that is shown, one straight piece a step, in the colour of its stage. */
function drawTrajectory(ctx, v, view, f) {
  const { steps, ends } = v.meta;
  ctx.save();
  ctx.lineWidth = 2;
  for (let k = 1; k <= v.step(); k++) {
    ctx.strokeStyle = stageColour(
      v,
      ends.findIndex((end) => k <= end),
    );
    steps[k].points.forEach((p, i) => {
      const [[x0, y0], [x1, y1]] = [view.px(steps[k - 1].points[i]), view.px(p)];
      ctx.globalAlpha = f == null || f === i ? 0.95 : 0.2;
      ctx.beginPath();
      ctx.moveTo(x0, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
    });
  }
  ctx.restore();
}

function drawRecorded(ctx, v, view) {
  ctx.save();
  v.recorded().forEach((p, i) => {
    const [x, y] = view.px(p);
    if (v.s.points && v.points[i]) {
      const [toX, toY] = view.px(v.points[i]);
      ctx.strokeStyle = "rgb(255 255 255 / .6)";
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(toX, toY);
      ctx.stroke();
    }
    drawRing(ctx, x, y, 4.5, v.face.colour[i] ?? "#fff", 2);
  });
  ctx.restore();
}
