/* Beside the face of the Occlusion view: channel gates, geometry channels, the spectrum of M. */

import { drawBars } from "./bars.js";
import { between } from "./geometry.js";
import { number, ticks } from "./numbers.js";

const LEFT = 40;
const AXIS = 16;

/* Channel gates ------------------------------------------------------------------------------------------- */

/** @type {(n: number, at: number[], w: number) => number | null} */
const barUnder = (n, [x], w) => {
  const k = Math.floor(((x - LEFT) / (w - LEFT - 4)) * n);
  return k >= 0 && k < n ? k : null;
};
/** @type {import("./board.js").Chart} */
export const gateChart = {
  key: "gate",
  label: "Channel gates",
  title: (v) =>
    v.meta.gate
      ? `Channel gates Mc of ${v.gate().length} channels${v.mode() === "difference" ? ", covered minus uncovered" : ""}`
      : "",
  tall: (v) => (v.meta.gate ? 112 : 0),
  draw(ctx, v, look, w, h) {
    if (!v.meta.gate) return;
    const focus = v.channel();
    const change = v.mode() === "difference";
    const rgb = (_, g) =>
      change ? v.maps.signed.css(g > 0 ? 0.88 : 0.12) : v.maps.bars.css(0.15 + 0.75 * Math.min(1, g));
    const values = v.gate();
    const box = { x: LEFT, y: 6, w: w - LEFT - 4, h: h - 14, look, focus, top: change ? null : 1 };
    drawBars(ctx, [values], { ...box, colours: (_, k) => rgb(k, values[k]) });
  },
  hit: (v, at, w) => (v.meta.gate ? barUnder(v.gate().length, at, w) : null),
  count: (v) => v.gate().length,
  now: (v) => v.s.channel,
  lines: (v, k) => [
    `channel ${k}`,
    ...Object.entries(v.sets).map(([name, set]) => [v.sets.without ? `${name} occluder` : "gate", number(set.gate[k])]),
  ],
  pick: (v, channel) =>
    channel == null || v.s.map === "before" || v.s.map === "after" ? { channel } : { channel, map: "after" },
};

/* Geometry: A_i down, B_j across -------------------------------------------------------------------------- */

const sideOf = (v) => Math.round(Math.sqrt(v.sets.with.arrays.products?.shape[0] ?? 0));
const gridOf = (v, w) => ({ n: sideOf(v), x: 22, y: 18, size: Math.min(w - 24, 320) });
/** @type {import("./board.js").Chart} */
export const productChart = {
  key: "product",
  label: "Geometry channels, products of two views",
  title: (v) => {
    const n = sideOf(v);
    return n ? `Geometry: ${n} channels A times ${n} channels B` : "";
  },
  tall: (v, w) => (sideOf(v) ? gridOf(v, w).size + 22 : 0),
  draw(ctx, v, look, w) {
    const { n, x, y, size } = gridOf(v, w);
    if (!n) return;
    const step = size / n;
    const chosen = v.product();
    ctx.save();
    ctx.imageSmoothingEnabled = false;
    for (let k = 0; k < n * n; k++) {
      const [left, top] = [x + (k % n) * step, y + Math.floor(k / n) * step];
      ctx.drawImage(v.picture("products", k, true).image, left, top, step - 1, step - 1);
      if (k !== chosen) continue;
      ctx.strokeStyle = look.ink;
      ctx.lineWidth = 2;
      ctx.strokeRect(left - 1, top - 1, step + 1, step + 1);
    }
    ctx.restore();
    ctx.font = `11px ${look.font}`;
    ctx.fillStyle = look.soft;
    ctx.textBaseline = "alphabetic";
    ctx.fillText("B, each map to its own largest value →", x, y - 5, size);
    ctx.save();
    ctx.translate(x - 7, y);
    ctx.rotate(-Math.PI / 2);
    ctx.textAlign = "right";
    ctx.fillText("← A", 0, 0);
    ctx.restore();
  },
  hit(v, [px, py], w) {
    const { n, x, y, size } = gridOf(v, w);
    const [c, r] = [px - x, py - y].map((d) => Math.floor((d / size) * n));
    return n && c >= 0 && r >= 0 && c < n && r < n ? r * n + c : null;
  },
  count: (v) => sideOf(v) ** 2,
  across: sideOf,
  now: (v) => v.s.product,
  lines: (v, k) => [
    `A ${Math.floor(k / sideOf(v))} × B ${k % sideOf(v)}`,
    ["largest", number(v.picture("products", k, true).values.reduce((a, b) => Math.max(a, Math.abs(b)), 0))],
  ],
  pick: (_, product) => ({ product, map: "products" }),
};

/* The spectrum, and below it how far each rank misses the whole answer ------------------------------------- */

const UPPER = 84;
const LOWER = 78;
const place = (v, w) => (rank) => LEFT + ((rank - 0.5) / v.ranks) * (w - LEFT - 4);
const percent = (v, px) =>
  v.meta.ocular ? ` (${number((100 * px) / (v.meta.ocular * v.meta.size))} % of the eyes)` : "";
export const rankWords = (v, rank) =>
  `rank ${rank}: landmarks ${number(v.moves()[rank])} px from the whole answer${percent(v, v.moves()[rank])}`;
/** @type {import("./board.js").Chart} */
export const spectrumChart = {
  key: "spectrum",
  label: "Singular values of M, and what each rank answers",
  title: (v) => (v.ranks ? `Singular values of M, effective rank ${number(v.meta.effective)} of ${v.ranks}` : ""),
  tall: (v) => (v.ranks ? UPPER + LOWER + 3 * AXIS : 0),
  draw(ctx, v, look, w) {
    if (!v.ranks) return;
    const rank = v.rank() ?? v.ranks;
    const x = place(v, w);
    const colours = (_, k) => (k < rank ? v.maps.bars.css(0.3) : look.faint);
    drawBars(ctx, [v.meta.singular], { x: LEFT, y: 4, w: w - LEFT - 4, h: UPPER, look, colours });
    const moves = v.moves();
    const top = Math.max(...moves) || 1;
    const low = UPPER + AXIS + 10;
    const y = (px) => low + LOWER - (px / top) * LOWER;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    for (const value of ticks(0, top, 3)) {
      ctx.fillStyle = look.hair;
      ctx.fillRect(LEFT, Math.round(y(value)), w - LEFT - 4, 1);
      ctx.fillStyle = look.soft;
      ctx.fillText(number(value), LEFT - 6, y(value));
    }
    ctx.textAlign = "left";
    ctx.strokeStyle = look.ink;
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    moves.forEach((px, r) => ctx.lineTo(x(r + 0.5), y(px)));
    ctx.stroke();
    ctx.fillStyle = look.ink;
    ctx.beginPath();
    ctx.arc(x(rank + 0.5), y(moves[rank]), 4, 0, 7);
    ctx.fill();
    ctx.fillStyle = look.soft;
    ctx.textBaseline = "top";
    ctx.fillText("mean px that each rank misses the whole answer by", LEFT, low - 13, w - LEFT);
    ctx.fillText("rank 0: what M cannot change", LEFT, low + LOWER + 6, w / 2);
    ctx.textAlign = "right";
    ctx.fillText(`${v.ranks}`, w - 4, low + LOWER + 6);
    ctx.textAlign = "left";
  },
  hit: (v, [x], w) => (v.ranks ? between(Math.round(((x - LEFT) / (w - LEFT - 4)) * v.ranks), 0, v.ranks) : null),
  count: (v) => v.ranks + 1,
  now: (v) => v.s.rank,
  lines: (v, rank) => [
    `rank ${rank}`,
    ["singular value", rank ? number(v.meta.singular[rank - 1]) : "none"],
    ["from the whole answer", `${number(v.moves()[rank])} px`],
  ],
  pick: (v, rank) => ({ rank: rank === v.ranks ? null : rank }),
};
