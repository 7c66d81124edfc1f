/* The photograph with its boxes, the crop and, where they are known, the landmarks. `v` is what is shown: {meta,
photo, region, chosen, handBox, crop, hover, drawing, span, fresh}. */

import { drawDots, drawLines, drawTag } from "./draw.js";
import { between } from "./geometry.js";
import { fitPhoto } from "./picker_places.js";

const HALO = "rgb(0 0 0 / .55)";
const GROUND = "#101114";
const OUTSIDE = "rgb(12 12 16 / .5)"; // over what is not cropped

export function drawPhotograph(ctx, v, w, h) {
  const { meta, crop } = v;
  const view = fitPhoto(w, h, v.region);
  const [wide, high] = meta.photo;
  const [x0, y0] = view.px([-0.5, -0.5]);
  ctx.fillStyle = GROUND;
  ctx.fillRect(0, 0, w, h);
  ctx.imageSmoothingQuality = "high";
  if (v.photo) ctx.drawImage(v.photo, x0, y0, wide * view.scale, high * view.scale);
  const bright = v.span || (v.drawing ? null : crop);
  if (bright) {
    const [x, y] = view.px(bright.slice(0, 2));
    ctx.beginPath();
    ctx.rect(0, 0, w, h);
    ctx.rect(x, y, (bright[2] - bright[0]) * view.scale, (bright[3] - bright[1]) * view.scale);
    ctx.fillStyle = OUTSIDE;
    ctx.fill("evenodd");
  }
  if (meta.points && crop && !v.drawing) {
    drawLines(ctx, view, meta.points, meta.face, { alpha: v.fresh ? 0.85 : 0.25, width: 1.3 });
    const side = view.scale * (crop[2] - crop[0]);
    const look = { radius: between(side / 150, 1.2, 3), alpha: v.fresh ? 1 : 0.3 };
    if (side > 150) drawDots(ctx, view, meta.points, meta.face, look); // on a small face they would hide what they mark
  }
  meta.boxes.forEach((box, i) => drawBox(ctx, v, view, box, i, w, h));
  const { handBox } = v;
  // A square one says no more than the crop does.
  const uneven = handBox && Math.abs(handBox[2] - handBox[0] - handBox[3] + handBox[1]) > 1;
  if (uneven && !v.drawing) drawOutline(ctx, view, handBox, { width: 1.4, dash: [2, 3], alpha: 0.9 });
  if (v.span) drawOutline(ctx, view, v.span, { width: 2 });
}

function drawBox(ctx, v, view, box, i, w, h) {
  const mine = i === v.chosen && !v.drawing;
  const near = i === v.hover;
  const alpha = mine ? 0.8 : v.drawing ? 0.4 : 1;
  drawOutline(ctx, view, box, { width: near && !mine ? 2.6 : 1.4, dash: mine ? [] : [6, 4], alpha });
  if (v.meta.boxes.length < 2 && !near) return;
  const text = mine ? `face ${i + 1}` : near ? `choose face ${i + 1}` : `${i + 1}`;
  const [x, y] = view.px(mine && v.crop ? v.crop : box);
  if (mine && v.crop) drawTag(ctx, text, x, y, w, h);
  else drawTag(ctx, text, x - 8, y + 1, w, h);
}

function drawOutline(ctx, view, [left, top, right, bottom], { width, dash = [], alpha = 1 }) {
  const [x, y] = view.px([left, top]);
  const [w, h] = [(right - left) * view.scale, (bottom - top) * view.scale];
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.lineJoin = "round";
  ctx.strokeStyle = HALO;
  ctx.lineWidth = width + 2;
  ctx.strokeRect(x, y, w, h);
  ctx.setLineDash(dash);
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = width;
  ctx.strokeRect(x, y, w, h);
  ctx.restore();
}
