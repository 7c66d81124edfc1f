/* The face with its lines, and the matrix; `v` is what relations_state.js makes. */

import { drawShifts } from "./cover_modes.js";
import {
  drawArrow,
  drawBrackets,
  drawDots,
  drawLines,
  drawPhoto,
  drawRing,
  drawTag,
  drawTruth,
  weightLook,
} from "./draw.js";
import { fitFace } from "./geometry.js";
import { drawFaceLegend } from "./legend.js";
import { number } from "./numbers.js";

/* Left of and above the matrix: part colours and names, "query" and "key". */
export const RIM = 34;

export function drawFace(ctx, v, w, h) {
  const { s, face, n } = v;
  const { drawing } = v.meta;
  const tall = h - drawing.legend;
  const view = fitFace(w, tall);
  const high = v.most();
  const f = v.focus();
  const list = v.edges();
  const unit = v.meta.signed ? `change of ${v.kind().unit}` : v.kind().unit;
  const place = (i) => view.px(v.points[i]);
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, drawing.dim, v.under);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, w, tall);
  ctx.clip();
  drawLines(ctx, view, v.points, face, { alpha: f == null ? 0.5 : 0.3, width: 1 });
  drawShifts(ctx, view, v.meta.from, v.points);
  for (const e of list) drawEdge(ctx, v, e, high, place, f != null);
  const near = new Set([f, ...list.flatMap((e) => (f == null ? [] : [e.q, e.k])), ...(v.cell || [])]);
  drawDots(ctx, view, v.points, face, {
    radius: (i) => (i === f ? 0 : near.has(i) ? 3.6 : 2.4),
    alpha: (i) => (f == null || near.has(i) ? 1 : 0.5),
    rim: "rgb(255 255 255 / .8)",
  });
  drawTruth(ctx, view, v.meta, v.points);
  if (v.cell && v.cell[0] !== v.cell[1]) {
    drawArrow(ctx, place(v.cell[0]), place(v.cell[1]), { colour: "#fff", width: 1.2, bend: drawing.bend, head: 9 });
  }
  for (const i of new Set([f, ...(v.cell || [])])) {
    if (i != null) drawChosen(ctx, place(i), face.colour[i], i === s.landmark && v.hover == null);
  }
  if (f != null && !v.cell) drawTag(ctx, `${face.label[f]} · ${f}`, place(f)[0], place(f)[1], w, tall);
  ctx.restore();
  if (s.mode === "heads") {
    drawHeads(ctx, v, w, h, high, unit);
    return;
  }
  drawFaceLegend(ctx, w, h, drawing, {
    map: v.map,
    lo: v.low(),
    hi: high,
    text: w > 420 ? `${unit}, line width and colour` : unit,
    wedge: v.meta.signed ? 0 : drawing.width[1],
    mark: !v.meta.signed && high > 1 / n ? { value: 1 / n, text: `uniform 1/${n}` } : null,
  });
}

/* In the strip below the face: each head's colour, and what the widest line stands for. */
function drawHeads(ctx, v, w, h, high, unit) {
  const { drawing } = v.meta;
  const heads = v.kind().shape[2];
  const mid = h - drawing.legend / 2;
  const step = Math.min(64, (w - 200) / heads);
  ctx.save();
  ctx.font = "11px system-ui";
  ctx.textBaseline = "middle";
  for (let k = 0; k < heads; k++) {
    ctx.strokeStyle = v.colourOf(k);
    ctx.lineWidth = 3;
    ctx.beginPath();
    ctx.moveTo(18 + k * step, mid);
    ctx.lineTo(30 + k * step, mid);
    ctx.stroke();
    ctx.fillStyle = drawing.nightInk;
    ctx.fillText(step > 52 ? `head ${k + 1}` : `${k + 1}`, 34 + k * step, mid);
  }
  ctx.fillStyle = drawing.nightMuted;
  ctx.textAlign = "right";
  ctx.fillText(`${unit}, widest line ${number(high)}`, w - 18, mid);
  ctx.restore();
}

function drawEdge(ctx, v, e, high, place, cased) {
  const { drawing, signed } = v.meta;
  if (signed) ctx.globalAlpha = 0.15 + (0.85 * Math.abs(e.w)) / high; // no change is white, and must not veil one
  drawn(ctx, v, e, high, place, cased, drawing);
  ctx.globalAlpha = 1;
}

function drawn(ctx, v, e, high, place, cased, drawing) {
  const look = weightLook(drawing, v.map, e.w, high, v.low());
  const { width } = look;
  const colour = e.h == null ? look.colour : v.colourOf(e.h);
  if (e.q === e.k) {
    const [x, y] = place(e.q);
    drawRing(ctx, x, y, 7 + width / 2, colour, width);
    return;
  }
  const [a, b, bend] = [place(e.q), place(e.k), drawing.bend];
  if (cased) drawArrow(ctx, a, b, { colour: "rgb(255 255 255 / .45)", width: width + 1.6, bend });
  else if (e.h == null && !v.meta.signed && e.w < high * drawing.faint)
    drawArrow(ctx, a, b, { colour: drawing.faintCase, width: width + 1.2, bend }); // else lost on dark skin
  drawArrow(ctx, a, b, { colour, width, bend, head: v.s.mode === "best" ? 6 + 1.6 * width : 0 });
}

function drawChosen(ctx, place, colour, pinned) {
  const [x, y] = place;
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, 5, 0, 7);
  ctx.fill();
  drawRing(ctx, x, y, 5, "#fff", 2);
  if (pinned) drawRing(ctx, x, y, 8.5, "#fff", 1.2);
}

/* look: the colours of the page (page.js: theme). */
export function drawMatrix(ctx, v, look, w) {
  const side = w - RIM;
  const step = side / v.n;
  const f = v.focus();
  ctx.save();
  ctx.imageSmoothingEnabled = false;
  ctx.fillStyle = v.meta.drawing.hidden;
  ctx.fillRect(RIM, RIM, side, side);
  ctx.drawImage(v.picture(), RIM, RIM, side, side);
  drawBrackets(ctx, v.face, RIM, RIM, side, { ink: look.soft, font: look.font });
  ctx.fillStyle = look.soft;
  ctx.font = `11px ${look.font}`;
  ctx.textBaseline = "top";
  ctx.fillText("key →", RIM, 0);
  ctx.save();
  ctx.translate(0, RIM);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = "right";
  ctx.fillText("← query", 0, 0);
  ctx.restore();
  if (f != null) drawFrame(ctx, look, RIM + v.rank[f] * step, step, side, v.s.direction === "query");
  if (v.cell) {
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 2;
    const [query, key] = v.cell.map((i) => RIM + v.rank[i] * step - 1.5);
    ctx.strokeRect(key, query, step + 3, step + 3);
  }
  ctx.restore();
}

/* Around the row of a query or the column of a key, with a mark at its head. */
function drawFrame(ctx, look, at, step, side, isRow) {
  for (const [colour, width] of [
    ["#000", 3],
    ["#fff", 1.3],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    if (isRow) ctx.strokeRect(RIM, at - 0.75, side - 0.75, step + 1.5);
    else ctx.strokeRect(at - 0.75, RIM, step + 1.5, side - 0.75);
  }
  const mid = at + step / 2;
  ctx.fillStyle = look.ink;
  ctx.beginPath();
  for (const [x, y] of [
    [RIM - 1, mid],
    [RIM - 8, mid - 4.5],
    [RIM - 8, mid + 4.5],
  ]) {
    if (isRow) ctx.lineTo(x, y);
    else ctx.lineTo(y, x);
  }
  ctx.fill();
}
