/* What lies beside the face: thumbnails, a matrix, a table, bars, or how the values are spread. */

import { drawBars } from "./bars.js";
import { matrixImage } from "./colours.js";
import { drawBrackets } from "./draw.js";
import { gridImage } from "./heatmap.js";
import { barRows } from "./inside_bars.js";
import { PAGE } from "./inside_state.js";
import { drawScale } from "./legend.js";
import { number } from "./numbers.js";

const TALL = 240;
const EDGE = 30; // left of and above a matrix or a table
const FOOT = 44; // the table's scale
const AXIS = 52; // left of the bars

/** The channels of this page, or the landmarks by part. */
export const order = (v) =>
  v.ofChannels
    ? Array.from({ length: Math.min(PAGE, v.count - v.from) }, (_, k) => v.from + k)
    : v.face.order.filter((i) => i < v.count);

export const columns = (v, w) => Math.max(4, Math.min(order(v).length <= 16 ? 4 : 10, Math.floor(w / 44)));

/** The height of what lies beside the face, where it is w pixels wide. */
export function sideTall(v, w) {
  if (!v.t) return v.meta.steps.length > 1 ? TALL : 0;
  if (v.hasThumbs) return Math.ceil(order(v).length / columns(v, w)) * (w / columns(v, w));
  if (v.onLines) return w;
  if (v.kind !== "table") return TALL;
  return Math.max(60, Math.min(w * 1.15, ((w - EDGE) * v.shape[2]) / v.shape[3])) + EDGE + FOOT;
}

/**
 * look: the colours of the page (page.js: theme).
 * @returns {any} the bars, where there are some (bars.js: drawBars)
 */
export function drawSide(ctx, v, look, w, h) {
  if (!v.t && v.meta.steps.length < 2) return null;
  ctx.save();
  const bars = v.hasThumbs
    ? drawThumbs(ctx, v, look, w)
    : v.onLines
      ? drawMatrix(ctx, v, look, w)
      : v.kind === "table"
        ? drawTable(ctx, v, look, w, h)
        : drawValues(ctx, v, look, w, h);
  ctx.restore();
  return bars;
}

function drawThumbs(ctx, v, look, w) {
  const across = columns(v, w);
  const cell = w / across;
  const chosen = v.item();
  ctx.imageSmoothingEnabled = false;
  order(v).forEach((k, at) => {
    const [x, y, side] = [(at % across) * cell + 1.5, Math.floor(at / across) * cell + 1.5, cell - 3];
    ctx.drawImage(v.pictureOf(k), x, y, side, side);
    if (!v.ofChannels) {
      ctx.fillStyle = v.face.colour[k];
      ctx.fillRect(x, y + side - 3, side, 3);
    }
    if (k !== chosen) return;
    ctx.strokeStyle = look.ink;
    ctx.lineWidth = 2.5;
    ctx.strokeRect(x - 0.25, y - 0.25, side + 0.5, side + 0.5);
  });
  return null;
}

function drawMatrix(ctx, v, look, w) {
  const n = v.count;
  const side = w - EDGE;
  const by = v.face.order;
  const chosen = v.item();
  const picture = v.once(`matrix ${v.stage()} ${v.head()} ${v.s.scale}`, () =>
    matrixImage(n, (r, c) => (r === c ? null : v.block()[by[r] * n + by[c]] / v.lineTop()), v.maps.plain),
  );
  ctx.imageSmoothingEnabled = false;
  ctx.fillStyle = v.meta.drawing.hidden;
  ctx.fillRect(EDGE, EDGE, side, side);
  ctx.drawImage(picture, EDGE, EDGE, side, side);
  drawBrackets(ctx, v.face, EDGE, EDGE, side, { ink: look.soft, font: look.font });
  if (chosen == null) return null;
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.5;
  ctx.strokeRect(EDGE, EDGE + (by.indexOf(chosen) * side) / n - 0.5, side, side / n + 1);
  return null;
}

function drawTable(ctx, v, look, w, h) {
  const [rows, cols] = v.shape.slice(2);
  const [wide, tall] = [w - EDGE, h - EDGE - FOOT];
  const span = v.span();
  const maps = { plain: v.cividis, signed: v.maps.signed };
  const picture = v.once(`cells ${v.stage()} ${v.head()} ${v.s.scale}`, () =>
    gridImage(v.block(), rows, cols, span, maps),
  );
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(picture, EDGE, EDGE, wide, tall);
  ctx.fillStyle = look.soft;
  ctx.font = `11px ${look.font}`;
  ctx.textBaseline = "alphabetic";
  ctx.fillText(`${v.axis(-1)} →  0 to ${cols - 1}`, EDGE, EDGE - 8);
  ctx.save();
  ctx.translate(EDGE - 9, EDGE);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = "right";
  ctx.fillText(`← ${v.axis(-2)}`, 0, 0);
  ctx.restore();
  const map = span.signed ? maps.signed : maps.plain;
  drawScale(ctx, EDGE, EDGE + tall + 12, wide, { map, ...span, ink: look.soft, soft: look.soft, font: look.font });
  if (v.spot?.cell) {
    const [r, c] = v.spot.cell;
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 1.5;
    ctx.strokeRect(EDGE + (c * wide) / cols - 1, EDGE + (r * tall) / rows - 1, wide / cols + 2, tall / rows + 2);
  }
  return null;
}

function drawValues(ctx, v, look, w, h) {
  const now = barRows(v);
  const box = { x: AXIS, y: 8, w: w - AXIS - 8, h: h - 42, look, focus: v.spot?.k ?? null, colours: now.colours };
  const bars = drawBars(ctx, now.rows, box);
  ctx.font = `11px ${look.font}`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillStyle = look.soft;
  if (now.scale) {
    const map = now.scale.signed ? v.maps.signed : v.maps.plain;
    const { lo, hi } = now.scale;
    drawScale(ctx, box.x, h - 30, box.w, {
      map,
      lo,
      hi,
      most: box.w,
      ink: look.soft,
      soft: look.soft,
      font: look.font,
    });
  } else ctx.fillText(now.under, box.x, h - 24, box.w);
  if (now.rows.length === 1) return bars;
  now.rows.forEach((_, r) => {
    const x = w - 74 * (now.rows.length - r);
    ctx.fillStyle = now.colours(r, 0);
    ctx.fillRect(x - 4, h - 24, 9, 9);
    ctx.fillStyle = look.soft;
    ctx.fillText(now.name(r), x + 10, h - 25);
  });
  return bars;
}

/**
 * What lies at x, y beside the face, where that is w x h pixels large.
 * @returns {any} {item, landmark, cell, k, lines (of the tooltip)}
 */
export function hitSide(v, bars, x, y, w, h) {
  if (v.hasThumbs) {
    const cell = w / columns(v, w);
    const k = order(v)[Math.floor(y / cell) * columns(v, w) + Math.floor(x / cell)];
    if (x < 0 || x >= w || k == null) return null;
    const title = v.ofChannels ? `channel ${k}` : v.name(k);
    return { item: k, lines: [title, ["largest", number(Math.max(...v.mapOf(k)))]] };
  }
  if (v.onLines) {
    const n = v.count;
    const [c, r] = [x, y].map((t) => Math.floor(((t - EDGE) / (w - EDGE)) * n));
    if (r < 0 || c < 0 || r >= n || c >= n) return null;
    const [q, k] = [v.face.order[r], v.face.order[c]];
    return { item: q, lines: [number(v.block()[q * n + k]), [v.axis(-2), v.name(q)], [v.axis(-1), v.name(k)]] };
  }
  if (v.kind === "table") {
    const [rows, cols] = v.shape.slice(2);
    const c = Math.floor(((x - EDGE) / (w - EDGE)) * cols);
    const r = Math.floor(((y - EDGE) / (h - EDGE - FOOT)) * rows);
    if (r < 0 || c < 0 || r >= rows || c >= cols) return null;
    const value = number(v.block()[r * cols + c]);
    return { cell: [r, c], lines: [value, [v.axis(-2), String(r)], [v.axis(-1), String(c)]] };
  }
  const k = bars?.at(x);
  if (k == null) return null;
  const now = barRows(v);
  return { k, landmark: now.landmark?.(k), lines: now.words(k) };
}
