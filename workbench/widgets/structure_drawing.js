/* One model's matrix of similarities with a list beside it, and its mean face. `p` is a panel and `f` what is in focus
there: {landmark | null, other | null, pinned}. */

import { drawArrow, drawBrackets, drawDots, drawLines, drawRing, drawTag } from "./draw.js";
import { between } from "./geometry.js";
import { drawScale } from "./legend.js";
import { number } from "./numbers.js";
import { fitPoints, mostSimilar } from "./structure_numbers.js";

/* Left of and above the matrix: part colours and names. */
export const EDGE = 22;
const LIST = 196;
const FOOT = 32;
const RANKS = [
  { t: 1, width: 3.4, text: "most similar" },
  { t: 0.7, width: 2.2, text: "second" },
  { t: 0.42, width: 1.4, text: "third" },
];

const beside = (w) => w >= 470;
export const sideOf = (w) => (beside(w) ? Math.min(w - LIST - 18, 480) : w) - EDGE;
export const topTall = (w) => EDGE + sideOf(w) + (beside(w) ? 4 : 264);
export const faceTall = (w) => Math.min(w * 0.95, 0.5 * w + 190);
export const faceView = (p, w, h) => fitPoints(p.points, w, h - FOOT, 26);

/* look: the colours of the page (page.js: theme). */
export function drawTop(ctx, p, f, look, w) {
  const side = sideOf(w);
  const step = side / p.n;
  ctx.save();
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(p.picture, EDGE, EDGE, side, side);
  drawBrackets(ctx, p.face, EDGE, EDGE, side, { ink: look.soft, font: look.font });
  if (f.landmark != null) drawRow(ctx, p, f, look, step, side);
  const x = beside(w) ? EDGE + side + 18 : EDGE;
  const y = beside(w) ? EDGE : EDGE + side + 16;
  drawList(ctx, p, f.landmark, look, x, y, w - x);
  drawScale(ctx, x + 6, beside(w) ? EDGE + side - 24 : y + 208, Math.min(w - x - 12, 190), {
    map: p.diverging,
    lo: -1,
    hi: 1,
    text: "cosine similarity",
    ink: look.soft,
    soft: look.soft,
    font: look.font,
  });
  ctx.restore();
}

function drawRow(ctx, p, { landmark, other }, look, step, side) {
  const y = EDGE + p.rank[landmark] * step;
  for (const [colour, width] of [
    ["rgb(255 255 255 / .9)", 3],
    ["#000", 1.2],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.strokeRect(EDGE, y, side, step);
  }
  ctx.fillStyle = look.ink;
  ctx.beginPath();
  ctx.moveTo(EDGE - 1, y + step / 2);
  ctx.lineTo(EDGE - 9, y + step / 2 - 5);
  ctx.lineTo(EDGE - 9, y + step / 2 + 5);
  ctx.fill();
  if (other == null) return;
  ctx.strokeStyle = "#000";
  ctx.lineWidth = 2;
  ctx.strokeRect(EDGE + p.rank[other] * step - 1, y - 1, step + 2, step + 2);
}

/* What is most similar to the landmark in focus; without one, how similar four kinds of pairs are. */
function drawList(ctx, p, landmark, look, x, y, w) {
  const rows =
    landmark == null
      ? p.statistic.map(([text, v]) => [text, v, null])
      : mostSimilar(p.values, p.n, landmark, 5).map((q) => [p.face.label[q.i], q.v, p.face.colour[q.i]]);
  ctx.textBaseline = "top";
  ctx.fillStyle = look.ink;
  ctx.font = `600 12px ${look.font}`;
  ctx.fillText(landmark == null ? "Mean similarity of" : p.face.label[landmark], x, y, w);
  ctx.font = `12px ${look.font}`;
  const long = w - 46;
  const zero = x + long * 0.25;
  rows.forEach(([text, v, colour], k) => {
    const top = y + 24 + 34 * k;
    if (colour) {
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.arc(x + 4, top + 7, 4, 0, 7);
      ctx.fill();
    }
    ctx.fillStyle = colour ? look.ink : look.soft;
    ctx.fillText(text, x + (colour ? 13 : 0), top, w - 14);
    ctx.fillStyle = look.hair;
    ctx.fillRect(x, top + 17, long, 7);
    const end = between(zero + v * long * 0.75, x, x + long);
    const bar = [Math.min(zero, end), top + 17, Math.abs(end - zero), 7];
    ctx.fillStyle = p.diverging.css((v + 1) / 2);
    ctx.fillRect(...bar);
    ctx.strokeStyle = look.faint;
    ctx.lineWidth = 1;
    ctx.strokeRect(...bar);
    ctx.fillStyle = look.soft;
    ctx.fillRect(zero - 0.5, top + 15, 1, 11);
    ctx.fillStyle = look.ink;
    ctx.fillText(number(v), x + long + 8, top + 14);
  });
}

export function drawMeanFace(ctx, p, f, drawing, w, h) {
  const view = faceView(p, w, h);
  const place = (i) => view.px(p.points[i]);
  const { landmark, other, pinned } = f;
  const rows = landmark == null ? p.points.map((_, i) => i) : [landmark];
  const { bend } = drawing;
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawLines(ctx, view, p.points, p.face, { alpha: 0.55, width: 1 });
  for (let rank = 2; rank >= 0; rank--) {
    for (const i of rows) {
      const q = mostSimilar(p.values, p.n, i)[rank];
      const { t, width } = RANKS[rank];
      if (q) drawArrow(ctx, place(i), place(q.i), { colour: p.ranked.css(t), width, bend });
    }
  }
  const near = new Set(landmark == null ? [] : mostSimilar(p.values, p.n, landmark).map((q) => q.i));
  drawDots(ctx, view, p.points, p.face, {
    radius: (i) => (i === landmark || near.has(i) ? 4.5 : 2.6),
    alpha: (i) => (landmark == null || i === landmark || near.has(i) ? 1 : 0.7),
    rim: "rgb(255 255 255 / .75)",
  });
  if (landmark != null) {
    const [x, y] = place(landmark);
    drawRing(ctx, x, y, 6, "#fff", 2);
    if (pinned) drawRing(ctx, x, y, 9, "#fff", 1.2);
    drawTag(ctx, `${landmark}`, x, y, w, h - FOOT);
    if (other != null && other !== landmark) {
      drawArrow(ctx, [x, y], place(other), { colour: "#fff", width: 1.2, bend: 0 });
    }
  }
  ctx.font = "11px system-ui";
  ctx.textBaseline = "middle";
  ctx.lineCap = "round";
  let x = 16;
  for (const { t, width, text } of RANKS) {
    ctx.strokeStyle = p.ranked.css(t);
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(x, h - 16);
    ctx.lineTo(x + 26, h - 16);
    ctx.stroke();
    ctx.fillStyle = drawing.nightMuted;
    ctx.fillText(text, x + 32, h - 15.5);
    x += 46 + ctx.measureText(text).width;
  }
}
