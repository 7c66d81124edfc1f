/* A row of small faces, each with a map over it, to choose from. An item is {title, sub, map (board_maps.js:
mapPicture) | null, draw(ctx, view) | undefined}. */

import { drawDots, drawPhoto } from "./draw.js";
import { drawCell, drawGrid } from "./heatmap.js";

const GAP = 10;
const WORDS = 36;

/** How many stand side by side, how large each is, and how tall all are together. */
export function rowPlan(count, w) {
  const most = w >= 90 * count + 200 ? count : Math.max(2, Math.min(count, Math.floor(w / 150)));
  const rows = Math.ceil(count / most);
  const columns = Math.ceil(count / rows);
  const cell = Math.min((w - GAP * (columns - 1)) / columns, 260);
  return { columns, cell, tall: rows * (cell + WORDS) + GAP * (rows - 1) };
}

const cornerOf = (k, { columns, cell }) => [
  (k % columns) * (cell + GAP),
  Math.floor(k / columns) * (cell + WORDS + GAP) + WORDS,
];
/** @type {(corner: number[], side: number) => import("./geometry.js").View} */
const viewOf = ([x0, y0], side) => ({
  side,
  x0,
  y0,
  px: ([u, v]) => [x0 + u * side, y0 + v * side],
  unit: ([x, y]) => [(x - x0) / side, (y - y0) / side],
});

/**
 * Which item lies at a place of the row, and where in its face that is.
 * @type {(count: number, w: number, at: number[]) => { k: number, place: number[] | null } | null}
 */
export const hitRow = (count, w, [x, y]) => {
  const plan = rowPlan(count, w);
  for (let k = 0; k < count; k++) {
    const corner = cornerOf(k, plan);
    const place = [(x - corner[0]) / plan.cell, (y - corner[1]) / plan.cell];
    const above = WORDS / plan.cell;
    if (place[0] >= 0 && place[0] < 1 && place[1] >= -above && place[1] < 1)
      return { k, place: place[1] >= 0 ? place : null };
  }
  return null;
};

/**
 * @param {any} ctx
 * @param {any} v image, face, place; drawn()  -> landmarks
 * @param {any[]} items
 * @param {number} chosen
 * @param {number | null} hover
 * @param {any} look page.js: theme
 * @param {number} w
 */
export function drawRow(ctx, v, items, chosen, hover, look, w) {
  const plan = rowPlan(items.length, w);
  items.forEach((item, k) => {
    const corner = cornerOf(k, plan);
    const view = viewOf(corner, plan.cell);
    ctx.save();
    ctx.font = `600 12px ${look.font}`;
    ctx.textBaseline = "alphabetic";
    ctx.fillStyle = look.ink;
    ctx.fillText(item.title, corner[0], corner[1] - 21, plan.cell);
    ctx.font = `11px ${look.font}`;
    ctx.fillStyle = look.soft;
    ctx.fillText(item.sub, corner[0], corner[1] - 7, plan.cell);
    ctx.beginPath();
    ctx.roundRect(corner[0], corner[1], plan.cell, plan.cell, 6);
    ctx.clip();
    drawPhoto(ctx, view, v.image, item.map ? 0.25 : 0);
    v.under?.(ctx, view, item);
    if (item.map) drawGrid(ctx, view, item.map.image, 0.85);
    item.draw?.(ctx, view);
    if (!item.map && !item.draw) drawDots(ctx, view, v.drawn(), v.face, { radius: 1.3, rim: null });
    if (v.place && item.map) drawCell(ctx, view, cellOf(v.place, item.map), item.map.h, item.map.w);
    ctx.restore();
    if (k === chosen || k === hover) {
      ctx.strokeStyle = k === chosen ? look.ink : look.soft;
      ctx.lineWidth = k === chosen ? 2.5 : 1.5;
      ctx.beginPath();
      ctx.roundRect(corner[0] + 1, corner[1] + 1, plan.cell - 2, plan.cell - 2, 5);
      ctx.stroke();
    }
  });
}

/**
 * The cell of a place in [0, 1) of the crop.
 * @type {(place: number[], map: { h: number, w: number }) => number[]}
 */
export const cellOf = ([x, y], { h, w }) => [
  Math.min(h - 1, Math.max(0, Math.floor(y * h))),
  Math.min(w - 1, Math.max(0, Math.floor(x * w))),
];
export const valueAt = (place, map) => {
  const [row, col] = cellOf(place, map);
  return map.values[row * map.w + col];
};
