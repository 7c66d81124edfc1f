/* Beside the face of the Cascade view: branch weights, a close-up of one landmark's steps, the error against size. */

import { drawBars } from "./bars.js";
import { drawPhoto, drawRing } from "./draw.js";
import { drawGrid } from "./heatmap.js";
import { number, ticks } from "./numbers.js";

const LEFT = 40;

/** @type {import("./board.js").Chart} */
export const weightChart = {
  key: "weights",
  label: "Weights of the branches, channel by channel",
  title: (v) => `Branch weights by channel, task of ${v.task().name}`,
  tall: () => 142,
  draw(ctx, v, look, w) {
    const { weights } = v.task();
    const focus = v.channel();
    const colours = (branch) => v.shade(branch);
    drawBars(ctx, weights, { x: LEFT, y: 6, w: w - LEFT - 4, h: 104, look, colours, focus, top: 1 });
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    let x = LEFT;
    weights.forEach((row, branch) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      const text = `branch ${branch + 1}: ${number(focus == null ? mean : row[focus])}`;
      ctx.fillStyle = v.shade(branch);
      ctx.fillRect(x, 122, 10, 10);
      ctx.fillStyle = look.soft;
      ctx.fillText(text, x + 15, 121);
      x += ctx.measureText(text).width + 30;
    });
    ctx.fillText(focus == null ? "mean" : `channel ${focus}`, x, 121, w - x);
  },
  hit(v, at, w) {
    const n = v.task().weights[0].length;
    const k = Math.floor(((at[0] - LEFT) / (w - LEFT - 4)) * n);
    return k >= 0 && k < n ? k : null;
  },
  count: (v) => v.task().weights[0].length,
  now: (v) => v.s.channel,
  lines: (v, k) => [`channel ${k}`, ...v.task().weights.map((row, b) => [`branch ${b + 1}`, number(row[k])])],
  pick: (_, channel) => ({ channel }),
};

/* The landmark that the cascades moved most, where none is in focus. */
export function closeLandmark(v) {
  const f = v.focus();
  if (f != null) return f;
  const [from, to] = [v.meta.steps[0], v.meta.steps[v.last]];
  const by = from.map((p, i) => Math.hypot(p[0] - to[i][0], p[1] - to[i][1]));
  return by.indexOf(Math.max(...by));
}

/** @type {import("./board.js").Chart} */
export const closeChart = {
  key: "close",
  label: "Close-up of one landmark: its heatmap, its maximum, every step and what each cascade saw",
  title(v) {
    const i = closeLandmark(v);
    const why = v.focus() == null ? ", moved most of all" : "";
    return `${v.face.label[i]} · ${i}${why}: heatmap's maximum (×) and every step`;
  },
  tall: (_, w) => Math.min(w, 300) + 20,
  draw(ctx, v, look, w) {
    const i = closeLandmark(v);
    const size = Math.min(w, 300);
    const around = v.meta.rects.length ? v.meta.rects[0][i][2] : 0.16;
    const side = Math.max(0.12, 1.35 * around); // of the crop that is seen
    const middle = v.meta.steps[0][i];
    const zoom = size / side;
    /** @type {import("./geometry.js").View} */
    const view = {
      side: zoom,
      x0: size / 2 - middle[0] * zoom,
      y0: size / 2 - middle[1] * zoom,
      px: ([x, y]) => [size / 2 + (x - middle[0]) * zoom, size / 2 + (y - middle[1]) * zoom],
      unit: ([x, y]) => [(x - size / 2) / zoom + middle[0], (y - size / 2) / zoom + middle[1]],
    };
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(0, 0, size, size, 6);
    ctx.clip();
    ctx.fillStyle = "#101114";
    ctx.fillRect(0, 0, size, size);
    if (v.image) ctx.drawImage(v.image, view.x0, view.y0, zoom, zoom);
    else drawPhoto(ctx, view, null);
    drawGrid(ctx, view, v.heatmap(i).image, 0.55);
    ctx.lineWidth = 1.2;
    v.meta.rects.forEach((rects, k) => {
      const [x, y, wide, tall] = rects[i];
      const [left, top] = view.px([x, y]);
      ctx.strokeStyle = k ? "#fff" : "rgb(255 255 255 / .7)";
      ctx.setLineDash(k ? [2, 3] : [6, 4]);
      ctx.strokeRect(left, top, wide * zoom, tall * zoom);
    });
    ctx.setLineDash([]);
    const path = v.meta.steps.slice(0, v.kept() + 1).map((points) => view.px(points[i]));
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    for (const p of path) ctx.lineTo(...p);
    ctx.stroke();
    const [mx, my] = view.px(v.meta.peaks[i]);
    ctx.strokeStyle = "#56B4E9";
    ctx.lineWidth = 2.4;
    for (const d of [1, -1]) {
      ctx.beginPath();
      ctx.moveTo(mx - 6, my - 6 * d);
      ctx.lineTo(mx + 6, my + 6 * d);
      ctx.stroke();
    }
    path.forEach(([x, y], k) => {
      ctx.fillStyle = k === path.length - 1 ? v.face.colour[i] : "rgb(16 17 20 / .85)";
      ctx.beginPath();
      ctx.arc(x, y, 6, 0, 7);
      ctx.fill();
      drawRing(ctx, x, y, 6, "#fff", 1.2);
      ctx.fillStyle = "#fff";
      ctx.font = "600 10px system-ui";
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(`${k}`, x, y + 0.5);
    });
    ctx.restore();
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    ctx.fillStyle = look.soft;
    ctx.fillText("0: off the heatmap, then after each cascade · dashed: what each cascade saw", 0, size + 5, w);
  },
};

/* Error against size (Fig. 14): one dot a pruning; without errors on the card the bars of the sizes alone. */
const FOOT = 34;
/** @type {import("./board.js").Chart} */
export const sizeChart = {
  key: "size",
  label: "Error against size, one dot for each number of cascades that pruning keeps",
  title: (v) =>
    !v.meta.sizes
      ? ""
      : Object.keys(v.meta.errors).length
        ? "Error against size: what pruning costs"
        : "Size by cascades kept (no error by size on this model's card)",
  tall: (v) => (v.meta.sizes ? 150 : 0),
  draw(ctx, v, look, w, h) {
    const { sizes, errors } = v.meta;
    if (!sizes) return;
    const x = placeOf(v, w);
    const known = sizes.map((_, k) => errors[k]);
    const all = known.every((e) => e != null);
    const [low, high] = all ? [Math.min(...known), Math.max(...known)] : [0, 1];
    const pad = all ? Math.max(0.02, 0.25 * (high - low)) : 0;
    const y = (e) => 8 + (1 - (e - low + pad) / (high - low + 2 * pad || 1)) * (h - FOOT - 8);
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "middle";
    if (all)
      for (const value of ticks(low - pad, high + pad, 3)) {
        ctx.fillStyle = look.hair;
        ctx.fillRect(LEFT, Math.round(y(value)), w - LEFT - 4, 1);
        ctx.fillStyle = look.soft;
        ctx.textAlign = "right";
        ctx.fillText(number(value), LEFT - 6, y(value));
      }
    ctx.strokeStyle = look.faint;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    if (all) sizes.forEach((size, k) => ctx.lineTo(x(size), y(errors[k])));
    ctx.stroke();
    sizes.forEach((size, k) => {
      const chosen = k === v.kept();
      const at = [x(size), all ? y(errors[k]) : (h - FOOT) / 2];
      ctx.fillStyle = chosen ? v.ink : look.faint;
      ctx.beginPath();
      ctx.arc(at[0], at[1], chosen ? 6 : 4.5, 0, 7);
      ctx.fill();
      ctx.textAlign = k === 0 ? "left" : k === sizes.length - 1 ? "right" : "center";
      ctx.textBaseline = "top";
      ctx.fillStyle = chosen ? look.ink : look.soft;
      const shift = k === 0 ? -6 : k === sizes.length - 1 ? 6 : 0;
      ctx.fillText(`${k} kept`, at[0] + shift, h - FOOT + 6);
      ctx.fillText(`${number(size / 1e6)} M`, at[0] + shift, h - FOOT + 19);
    });
    ctx.textAlign = "left";
    ctx.fillStyle = look.soft;
    if (all) ctx.fillText("NME %", LEFT + 4, 2);
  },
  hit(v, at, w) {
    if (!v.meta.sizes) return null;
    const x = placeOf(v, w);
    const by = v.meta.sizes.map((size) => Math.abs(x(size) - at[0]));
    return by.indexOf(Math.min(...by));
  },
  count: (v) => v.meta.sizes?.length ?? 0,
  now: (v) => v.s.kept,
  lines: (v, k) => [
    `${k} of ${v.last} cascades kept`,
    ["parameters", `${number(v.meta.sizes[k] / 1e6)} M`],
    ...(v.meta.errors[k] == null ? [] : [["NME on the card", `${number(v.meta.errors[k])} %`]]),
  ],
  pick: (v, kept) => ({ kept: kept === v.last ? null : kept }),
};
const placeOf = (v, w) => {
  const top = Math.max(...v.meta.sizes);
  const least = Math.min(...v.meta.sizes);
  return (size) => LEFT + 12 + ((size - least) / (top - least || 1)) * (w - LEFT - 32);
};
