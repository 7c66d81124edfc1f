/* A face with an arrow at each landmark that moved, and how far each did; `v` is what effect.js holds. */

import { drawBars } from "./bars.js";
import { drawArrow, drawDots, drawLines, drawPhoto, drawRing, drawTag, drawTruth } from "./draw.js";
import { fitFace } from "./geometry.js";
import { drawFaceLegend } from "./legend.js";
import { number } from "./numbers.js";

const CASING = "rgb(0 0 0 / .55)";
const LEFT = 40;

/** Where the arrow of landmark i ends, in [0, 1] of the crop. */
export function tipOf(v, i) {
  const [from, to] = [v.meta.before[i], v.meta.after[i]];
  return from.map((x, axis) => x + v.times() * (to[axis] - x));
}

export function drawFace(ctx, v, w, h) {
  const { drawing, face, before, moved } = v.meta;
  const tall = h - drawing.legend;
  const view = fitFace(w, tall);
  const f = v.focus();
  const top = v.top();
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, drawing.dim);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, w, tall);
  ctx.clip();
  drawLines(ctx, view, before, face, { alpha: 0.35, width: 1, colour: "#fff" });
  const order = [...moved.keys()].sort((a, b) => moved[a] - moved[b]); // the longest lie on top
  for (const i of order) {
    const [a, b] = [view.px(before[i]), view.px(tipOf(v, i))];
    const width = i === f ? 3 : 2;
    ctx.globalAlpha = v.hover == null || i === f ? 1 : 0.4; // a pinned landmark leaves the others as they are
    drawArrow(ctx, a, b, { colour: CASING, width: width + 2, bend: 0, head: 9 });
    drawArrow(ctx, a, b, { colour: v.map.css(moved[i] / top), width, bend: 0, head: 8 });
  }
  ctx.globalAlpha = 1;
  drawDots(ctx, view, before, face, {
    radius: (i) => (i === f ? 4.4 : 2),
    alpha: (i) => (v.hover == null || i === f ? 1 : 0.6),
    rim: "rgb(255 255 255 / .8)",
  });
  drawTruth(ctx, view, v.meta, null);
  if (f != null) {
    const [x, y] = view.px(before[f]);
    drawRing(ctx, x, y, 4.4, "#fff", 1.6);
    if (f === v.s.landmark && v.hover == null) drawRing(ctx, x, y, 8, "#fff", 1.2);
    drawTag(ctx, `${face.label[f]} · ${f}`, x, y, w, tall);
  }
  ctx.restore();
  drawFaceLegend(ctx, w, h, drawing, {
    map: v.map,
    lo: 0,
    hi: top,
    text: "px of the photograph",
    mark: f == null ? null : { value: Math.min(top, moved[f]), text: number(moved[f]) },
  });
}

/* One bar a landmark, by part. look: the colours of the page (page.js: theme). -> the place of each bar. */
export function drawMoved(ctx, v, look, w, h) {
  const { face, moved } = v.meta;
  ctx.font = `600 12px ${look.font}`;
  ctx.fillStyle = look.ink;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillText("each landmark, by part, in px of the photograph", 0, 0, w);
  const row = face.order.map((i) => moved[i]);
  const at = v.hover == null ? null : face.order.indexOf(v.hover);
  return drawBars(ctx, [row], {
    x: LEFT,
    y: 24,
    w: w - LEFT,
    h: h - 32,
    look,
    colours: (_, k) => face.colour[face.order[k]],
    focus: at,
    top: v.top(),
  });
}
