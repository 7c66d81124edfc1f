/* A face under the attention of one of its places, and the bars of the leaked mass; `v` is what
self_attention_state.js makes, `p` one of its panels. */

import { drawBars } from "./bars.js";
import { drawDots, drawLines, drawPhoto, drawRing, drawTruth } from "./draw.js";
import { fitFace } from "./geometry.js";
import { drawCell, drawGrid, drawMapLegend, gridImage, spanOf } from "./heatmap.js";
import { cellCentre, leakRows } from "./self_attention_numbers.js";

export const MODELS = ["#0072B2", "#E69F00"];
const PRIOR = "86 180 233";
const LEFT = 46; // of the bars: the axis's numbers

export function drawFace(ctx, v, p, w, h) {
  const { s, face } = v;
  const { drawing } = v.meta;
  const { size } = p;
  const view = fitFace(w, h - drawing.legend);
  const span = v.span(p);
  const query = v.query(p);
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, 0.15, v.under);
  drawGrid(ctx, view, gridImage(v.mapOf(p), size, size, span, v.maps, true), s.opacity);
  if (s.mask) drawPrior(ctx, view, p.size, p.now);
  if (s.points) {
    drawLines(ctx, view, p.points, face, { alpha: 0.35, width: 1, colour: "#fff" });
    const radius = (i) => (i === s.landmark ? 4.5 : 2);
    drawDots(ctx, view, p.points, face, { radius, alpha: 0.9, rim: "rgb(255 255 255 / .7)" });
    drawTruth(ctx, view, v.meta, p.points);
  }
  drawCell(ctx, view, [query.row, query.col], size, size);
  const [x, y] = view.px(cellCentre(query, size));
  const pinned = s.place || s.landmark != null;
  if (pinned && !v.hover) drawRing(ctx, x, y, view.side / size + 5, "#fff", 1.5);
  const even = 1 / size ** 2;
  const mark =
    !v.meta.signed && p.normalise === "softmax" && span.hi > even
      ? { value: even, text: `uniform 1/${size ** 2}` }
      : null;
  drawMapLegend(
    ctx,
    w,
    h,
    drawing,
    span,
    v.maps,
    v.meta.signed ? "change of attention weight" : "attention weight",
    mark,
  );
}

/** The model without attention: the largest of its heatmaps, under the same pointer. */
export function drawBaseline(ctx, v, w, h) {
  const { drawing } = v.meta;
  const b = v.baseline;
  const view = fitFace(w, h - drawing.legend);
  const span = spanOf(b.values);
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, 0.15, v.under);
  drawGrid(ctx, view, gridImage(b.values, b.size, b.size, span, v.maps, true), v.s.opacity);
  if (v.s.points) {
    drawLines(ctx, view, b.points, v.face, { alpha: 0.35, width: 1, colour: "#fff" });
    drawDots(ctx, view, b.points, v.face, { radius: 2, alpha: 0.9, rim: "rgb(255 255 255 / .7)" });
    drawTruth(ctx, view, v.meta, b.points);
  }
  const { row, col } = baselineCell(v);
  drawCell(ctx, view, [row, col], b.size, b.size);
  drawMapLegend(ctx, w, h, drawing, span, v.maps, `largest of ${b.count} heatmaps`, null);
}

/** The cell of its heatmap under the pointer, and the value there. */
export function baselineCell(v) {
  const { size, values } = v.baseline;
  const [col, row] = v.place().map((t) => Math.min(size - 1, Math.max(0, Math.floor(t * size))));
  return { row, col, value: values[row * size + col] };
}

/* The mask's Gaussians, and the border of the neighbourhood (where the mask is positive). */
function drawPrior(ctx, view, size, { mask, crest }) {
  const cell = view.side / size;
  const on = (r, c) => r >= 0 && c >= 0 && r < size && c < size && mask[r * size + c] > 0;
  const border = [];
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      if (!on(r, c)) continue;
      const [x, y] = [view.x0 + c * cell, view.y0 + r * cell];
      ctx.fillStyle = `rgb(${PRIOR} / ${0.5 * Math.min(1, crest[r * size + c])})`;
      ctx.fillRect(x, y, cell, cell);
      if (!on(r - 1, c)) border.push([x, y, x + cell, y]);
      if (!on(r + 1, c)) border.push([x, y + cell, x + cell, y + cell]);
      if (!on(r, c - 1)) border.push([x, y, x, y + cell]);
      if (!on(r, c + 1)) border.push([x + cell, y, x + cell, y + cell]);
    }
  }
  ctx.strokeStyle = `rgb(${PRIOR})`;
  ctx.lineWidth = 1.6;
  ctx.beginPath();
  for (const [x0, y0, x1, y1] of border) {
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
  }
  ctx.stroke();
}

/* What a uniform attention would leak: a dashed line in the model's colour; the first one says what it is. */
function drawChance(ctx, chance, k, y, { x, w, look }) {
  ctx.save();
  ctx.strokeStyle = MODELS[k] ?? "#000000";
  ctx.setLineDash(k ? [2, 4] : [6, 4]);
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + w, y);
  ctx.stroke();
  if (!k) {
    const text = `chance: uniform attention leaks ${Math.round(100 * chance)} %`;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    ctx.textAlign = "right";
    const wide = ctx.measureText(text).width;
    ctx.fillStyle = look.ground;
    ctx.globalAlpha = 0.85;
    ctx.fillRect(x + w - wide - 6, y + 2, wide + 6, 15);
    ctx.globalAlpha = 1;
    ctx.fillStyle = look.ink;
    ctx.fillText(text, x + w - 3, y + 4);
  }
  ctx.restore();
}

/* look: the colours of the page (page.js: theme). Gives back what finds the bar under a pixel. */
export function drawLeak(ctx, v, look, w, h) {
  const { order, brackets } = v.face;
  const each = v.panels.length + 1;
  const f = v.spot ?? v.s.landmark;
  const at = f == null ? -1 : order.indexOf(f);
  const colours = (_, k) => `${MODELS[k % each] ?? "#000000"}${at >= 0 && Math.floor(k / each) !== at ? "77" : ""}`;
  const box = {
    x: LEFT,
    y: 8,
    w: w - LEFT - 4,
    h: h - 40,
    look,
    colours,
    top: Math.max(...v.panels.map((p) => p.now.account?.chance ?? 1)),
  };
  const bars = drawBars(ctx, [leakRows(v.panels, order)], box);
  v.panels.forEach((p, k) => {
    const { account } = p.now;
    if (account) drawChance(ctx, account.chance, k, bars.place(account.chance), box);
  });
  const step = box.w / order.length;
  ctx.textBaseline = "top";
  ctx.textAlign = "center";
  ctx.font = `11px ${look.font}`;
  for (const { colour, start, stop, text } of brackets) {
    const x = box.x + start * step + 1;
    const wide = (stop - start) * step - 2;
    ctx.fillStyle = colour;
    ctx.fillRect(x, h - 27, wide, 4);
    ctx.fillStyle = look.soft;
    if (ctx.measureText(text).width < wide + 4) ctx.fillText(text, x + wide / 2, h - 19);
  }
  ctx.textAlign = "left";
  if (at >= 0) {
    ctx.strokeStyle = look.ink;
    ctx.lineWidth = 1.2;
    ctx.strokeRect(box.x + at * step, box.y, step, box.h);
  }
  return bars;
}
