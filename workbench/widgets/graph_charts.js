/* Beside the face of the Graph view: how far each layer's edges depart from 1 / degree, a landmark's neighbours,
and how each landmark lies to its neighbours. */

import { drawBars } from "./bars.js";
import { lengths, mean } from "./graph_state.js";
import { number } from "./numbers.js";

const LEFT = 46;
const LEARNED = "#E69F00";
const FACE = "#0072B2";

/** @type {import("./board.js").Chart} */
export const layerChart = {
  key: "layers",
  label: "How far each layer's edges depart from 1 over degree",
  title: () => "How far edges depart from 1 / degree, layer by layer",
  tall: () => 158,
  draw(ctx, v, look, w) {
    const { learned, face } = v.meta.departure;
    const each = 3; // two bars and a gap
    const rows = learned.flatMap((a, k) => [a, face[k], null]);
    const colours = (_, k) => (k % each ? FACE : LEARNED);
    const box = { x: LEFT, y: 6, w: w - LEFT - 4, h: 104, look, colours };
    drawBars(ctx, [rows], box);
    const step = box.w / learned.length;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    learned.forEach((_, k) => {
      ctx.fillStyle = k === v.layer() ? look.ink : look.soft;
      ctx.font = `${k === v.layer() ? "700 " : ""}11px ${look.font}`;
      ctx.fillText(`${k + 1}`, box.x + (k + 0.36) * step, 114);
    });
    ctx.textAlign = "left";
    ctx.font = `11px ${look.font}`;
    let x = LEFT;
    for (const [colour, text] of [
      [LEARNED, "learned"],
      [FACE, "on this face"],
    ]) {
      ctx.fillStyle = colour;
      ctx.fillRect(x, 136, 10, 10);
      ctx.fillStyle = look.soft;
      ctx.fillText(text, x + 15, 135);
      x += ctx.measureText(text).width + 34;
    }
    ctx.fillText("mean |weight × degree - 1|", x, 135, w - x);
  },
  hit(v, at, w) {
    const k = Math.floor(((at[0] - LEFT) / (w - LEFT - 4)) * v.meta.layers.length);
    return k >= 0 && k < v.meta.layers.length ? k : null;
  },
  count: (v) => v.meta.layers.length,
  now: (v) => v.s.layer,
  lines: (v, k) => [
    `layer ${k + 1}`,
    v.meta.layers[k],
    ["learned", number(v.meta.departure.learned[k])],
    ["on this face", number(v.meta.departure.face[k])],
  ],
  pick: (v, k) => ({ layer: k ?? v.s.layer, show: "edges" }),
};

/* The edges of the landmark in focus, itself included: bar on this face, orange mark as learned, line at 1 /
degree. */
const ROW = 19;
const MOST = 12;
/** @type {import("./board.js").Chart} */
export const neighbourChart = {
  key: "neighbours",
  label: "The neighbours of the landmark in focus and their weights",
  title: (v) =>
    `What ${v.face.label[v.focus() ?? v.boldest()]} takes, layer ${v.layer() + 1}` +
    (v.focus() == null ? ": it departs most from 1 / degree" : ""),
  tall: (v) => 16 + ROW * Math.min(MOST, Math.max(...v.meta.degree)),
  draw(ctx, v, look, w) {
    const f = v.focus() ?? v.boldest();
    ctx.font = `12px ${look.font}`;
    ctx.textBaseline = "middle";
    const row = (kind) => v.weights(kind).subarray(f * v.n, (f + 1) * v.n);
    const [now, learned] = [row("weights"), row("learned")];
    const even = 1 / v.meta.degree[f];
    const list = [...learned.keys()].filter((j) => learned[j] > 0).sort((a, b) => now[b] - now[a]);
    const names = Math.min(170, 0.5 * w);
    const top = Math.max(...list.map((j) => Math.max(now[j], learned[j])), even);
    const x = (value) => names + (value / top) * (w - names - 48);
    list.slice(0, MOST).forEach((j, k) => {
      const y = 8 + ROW * k;
      ctx.fillStyle = v.face.colour[j];
      ctx.beginPath();
      ctx.arc(5, y, 4, 0, 7);
      ctx.fill();
      ctx.fillStyle = look.ink;
      ctx.fillText(j === f ? "itself" : `${v.face.label[j]} · ${j}`, 14, y, names - 20);
      ctx.fillStyle = FACE;
      ctx.fillRect(names, y - 6, Math.max(0.5, x(now[j]) - names), 12);
      ctx.fillStyle = LEARNED;
      ctx.fillRect(x(learned[j]) - 1.5, y - 7, 3, 14);
      ctx.fillStyle = look.soft;
      ctx.fillText(number(now[j]), Math.max(x(now[j]), x(learned[j])) + 6, y);
    });
    const tall = ROW * Math.min(MOST, list.length);
    ctx.fillStyle = look.ink;
    ctx.fillRect(x(even) - 0.5, 0, 1, tall);
    ctx.fillText(`1 / degree = ${number(even)}`, Math.min(x(even), w - 100), tall + 6);
  },
};

/* How far P S lies from P S*, landmark by landmark in the order of the parts. */
/** @type {import("./board.js").Chart} */
export const residualChart = {
  key: "residual",
  label: "How each landmark lies to its neighbours, against a reference",
  title(v) {
    if (!v.meta.relative) return "";
    const by = number(mean(lengths(v.residuals(), v.meta.size)));
    return `|P S - P S*| in px, mean ${by}; S*: ${v.meta.references[v.s.reference]}`;
  },
  tall: (v) => (v.meta.relative ? 128 : 0),
  draw(ctx, v, look, w) {
    if (!v.meta.relative) return;
    const { order, colour } = v.face;
    const values = lengths(v.residuals(), v.meta.size);
    const focus = v.focus() == null ? null : order.indexOf(v.focus());
    const box = { x: LEFT, y: 8, w: w - LEFT - 4, h: 108, look, focus };
    drawBars(ctx, [order.map((i) => values[i])], { ...box, colours: (_, k) => colour[order[k]] });
  },
  hit(v, at, w) {
    const k = Math.floor(((at[0] - LEFT) / (w - LEFT - 4)) * v.n);
    return k >= 0 && k < v.n ? v.face.order[k] : null;
  },
  count: (v) => v.n,
  now: (v) => v.s.landmark,
  lines: (v, i) => [
    `${v.face.label[i]} · ${i}`,
    ["P S - P S*", `${number(lengths([v.residuals()[i]], v.meta.size)[0])} px`],
  ],
  pick: (_, landmark) => ({ landmark, ...(landmark == null ? {} : { show: "residuals" }) }),
};
