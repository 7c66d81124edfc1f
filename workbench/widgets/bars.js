/* Bars over an axis, on the page's own ground. */

import { number, ticks } from "./numbers.js";

/* Bars upward (or downward) from zero in the box x, y, w, h, none for null. rows: arrays of equal length, stacked;
colours(row, k). -> {at(px) -> k | null, step, span}. */
export function drawBars(ctx, rows, { x, y, w, h, look, colours, focus = null, top = null }) {
  const n = rows[0].length;
  const step = w / n;
  let most = top ?? 0;
  let least = 0;
  for (let k = 0; k < n; k++) {
    let up = 0;
    let down = 0;
    for (const row of rows) {
      if (row[k] > 0) up += row[k];
      else down += row[k] || 0;
    }
    most = Math.max(most, up);
    least = Math.min(least, down);
  }
  if (most === least) most = 1;
  const place = (v) => y + h - ((v - least) / (most - least)) * h;
  ctx.font = `11px ${look.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const v of ticks(least, most, 4)) {
    ctx.fillStyle = look.hair;
    ctx.fillRect(x, Math.round(place(v)), w, 1);
    ctx.fillStyle = look.soft;
    ctx.fillText(number(v), x - 6, place(v));
  }
  const gap = step > 4 ? Math.min(2, step * 0.2) : 0;
  for (let k = 0; k < n; k++) {
    let up = 0;
    let down = 0;
    ctx.globalAlpha = focus == null || focus === k ? 1 : 0.45;
    rows.forEach((row, r) => {
      if (row[k] == null) return;
      const from = row[k] >= 0 ? up : down;
      const to = from + row[k];
      if (row[k] >= 0) up = to;
      else down = to;
      ctx.fillStyle = colours(r, k);
      ctx.fillRect(
        x + k * step + gap / 2,
        Math.min(place(from), place(to)),
        Math.max(0.6, step - gap),
        Math.abs(place(to) - place(from)),
      );
    });
  }
  ctx.globalAlpha = 1;
  ctx.textAlign = "left";
  ctx.fillStyle = look.soft;
  ctx.fillRect(x, Math.round(place(0)), w, 1);
  return {
    step,
    place,
    at: (px) => {
      const k = Math.floor((px - x) / step);
      return k >= 0 && k < n ? k : null;
    },
  };
}
