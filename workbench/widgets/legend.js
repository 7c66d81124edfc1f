/* legend.js: the colour bar under a picture. */

import { number, ticks } from "./numbers.js";

/* The width of a colour bar in a strip of width w, and the longest of `texts` (longest first) that fits right of it. */
export function besideScale(w, texts, measure) {
  const room = (text) => Math.min(300, w - 18 - 16 - 10 - measure(text));
  const text = texts.find((t) => room(t) >= 160) ?? texts.at(-1);
  return [Math.max(60, room(text)), text];
}

/* A colour bar with true units at x, y (its top left); wedge > 0: it grows to that line width in pixels. */
export function drawScale(
  ctx,
  x,
  y,
  w,
  h,
  map,
  lo,
  hi,
  { text = "", wedge = 0, ink = "#f3f4f5", mark = null, font = "system-ui" } = {},
) {
  ctx.save();
  ctx.font = `11px ${font}`;
  ctx.textBaseline = "top";
  const mid = y + h / 2;
  const small = wedge ? 0.35 : h / 2;
  const tall = wedge ? wedge / 2 : h / 2;
  ctx.save();
  ctx.beginPath();
  ctx.moveTo(x, mid - small);
  ctx.lineTo(x + w, mid - tall);
  ctx.lineTo(x + w, mid + tall);
  ctx.lineTo(x, mid + small);
  ctx.clip();
  ctx.drawImage(map.strip(), x, mid - tall, w, 2 * tall);
  ctx.restore();
  ctx.fillStyle = ctx.strokeStyle = ink;
  ctx.lineWidth = 1;
  const at = (value) => x + ((value - lo) / (hi - lo)) * w;
  let free = -Infinity;
  for (const value of ticks(lo, hi, Math.max(2, Math.floor(w / 60)))) {
    const label = number(value);
    const half = ctx.measureText(label).width / 2;
    ctx.fillRect(at(value) - 0.5, y + h, 1, 3);
    if (at(value) - half < free) continue;
    ctx.fillText(label, at(value) - half, y + h + 4);
    free = at(value) + half + 6;
  }
  if (mark) {
    ctx.beginPath();
    ctx.moveTo(at(mark.value), y);
    ctx.lineTo(at(mark.value) - 3.5, y - 5);
    ctx.lineTo(at(mark.value) + 3.5, y - 5);
    ctx.closePath();
    ctx.fill();
    ctx.textBaseline = "bottom";
    ctx.fillText(mark.text, Math.max(x, at(mark.value) - 4), y - 6);
  } else if (text) {
    ctx.textBaseline = "bottom";
    ctx.fillText(text, x, y - 4);
  }
  ctx.restore();
}
