/* The colour bar of every picture, with true units. */

import { number, ticks } from "./numbers.js";

/**
 * @typedef {{ map: any, lo: number, hi: number, text?: string, wedge?: number,
 *   mark?: { value: number, text: string } | null, most?: number, ink: string, soft: string, font?: string }} Scale
 *   text: what is measured; wedge: line width in pixels at the bar's end; mark: a value that is
 *   pointed at; most: the bar's length, where it may be longer than elsewhere
 */

const TALL = 8;
const WIDEST = 300;
const ROOM = 160; // a bar that got shorter than this for its text would say too little
const BESIDE = 16;

/**
 * The width of a colour bar in a strip of width w, and whether its text fits right of it.
 * @param {number} w
 * @param {number} textWidth
 * @param {number} [most]
 * @returns {[number, boolean]}
 */
export function barWidth(w, textWidth, most = WIDEST) {
  const left = w - BESIDE - textWidth;
  return textWidth && left >= ROOM ? [Math.min(most, left), true] : [Math.max(60, Math.min(most, w)), false];
}

/**
 * A colour bar whose upper left corner is x, y, in a strip of width w: numbers below it, its text right of it or above.
 * @param {any} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} w
 * @param {Scale} scale
 */
export function drawScale(
  ctx,
  x,
  y,
  w,
  { map, lo, hi, text = "", wedge = 0, mark = null, most, ink, soft, font = "system-ui" },
) {
  ctx.save();
  ctx.font = `11px ${font}`;
  ctx.textAlign = "left";
  const [wide, beside] = barWidth(w, text ? ctx.measureText(text).width : 0, most);
  const mid = y + TALL / 2;
  const small = wedge ? 0.35 : TALL / 2;
  const tall = wedge ? wedge / 2 : TALL / 2;
  ctx.save();
  ctx.beginPath();
  ctx.moveTo(x, mid - small);
  ctx.lineTo(x + wide, mid - tall);
  ctx.lineTo(x + wide, mid + tall);
  ctx.lineTo(x, mid + small);
  ctx.clip();
  ctx.drawImage(map.strip(), x, mid - tall, wide, 2 * tall);
  ctx.restore();
  ctx.fillStyle = ink;
  const at = (value) => x + ((value - lo) / (hi - lo)) * wide;
  ctx.textBaseline = "top";
  let free = -Infinity;
  for (const value of ticks(lo, hi, Math.max(2, Math.floor(wide / 60)))) {
    const label = number(value);
    const half = ctx.measureText(label).width / 2;
    ctx.fillRect(at(value) - 0.5, y + TALL, 1, 3);
    if (at(value) - half < free) continue;
    ctx.fillText(label, at(value) - half, y + TALL + 4);
    free = at(value) + half + 6;
  }
  ctx.textBaseline = "bottom";
  if (mark) {
    ctx.beginPath();
    ctx.moveTo(at(mark.value), y);
    ctx.lineTo(at(mark.value) - 3.5, y - 5);
    ctx.lineTo(at(mark.value) + 3.5, y - 5);
    ctx.closePath();
    ctx.fill();
    const half = ctx.measureText(mark.text).width / 2;
    ctx.fillText(mark.text, Math.min(Math.max(x, at(mark.value) - half), x + w - 2 * half), y - 6);
  } else if (text && !beside) ctx.fillText(text, x, y - 4, w);
  if (beside) {
    ctx.fillStyle = soft;
    ctx.textBaseline = "middle";
    ctx.fillText(text, x + wide + BESIDE, mid);
  }
  ctx.restore();
}

/**
 * The legend in the strip below a face of w x h pixels, strip and all.
 * @param {any} ctx
 * @param {number} w
 * @param {number} h
 * @param {any} drawing
 * @param {Omit<Scale, "ink" | "soft">} scale
 */
export function drawFaceLegend(ctx, w, h, drawing, scale) {
  drawScale(ctx, 18, h - 26, w - 28, { ...scale, ink: drawing.nightInk, soft: drawing.nightMuted });
}
