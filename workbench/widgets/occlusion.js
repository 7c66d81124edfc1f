/* What covers a face and what the network makes of it: the row of Fig. 13, channel gates, geometry channels, and
the spectrum of M with a rank that the landmarks answer to. State "selection" (occlusion.py: SELECTION) and
"occluder": {x, y, w, h, fill} or {}. */

import { board } from "./board.js";
import { coverEditor } from "./cover.js";
import { number } from "./numbers.js";
import { gateChart, productChart, rankWords, spectrumChart } from "./occlusion_charts.js";
import { occlusionFacts, occlusionState } from "./occlusion_state.js";
import { el, segmented, slider, toggle } from "./page.js";

const WORDS = { visible: "P'', what is visible,", spatial: "P', the spatial gate," };
const TEXT = {
  visible: "probability of being visible",
  spatial: "spatial gate",
  before: "feature",
  after: "feature",
  products: "product",
};

const item = (v) => (key) => {
  const map = v.picture(key);
  const { lo, hi } = map?.span ?? {};
  return { title: v.meta.titles[key], sub: map ? `${number(lo)} to ${number(hi)}` : "and the landmarks", map };
};

/* Lines from where landmarks were to where they are. */
function drawMoves(ctx, v, view) {
  const from = v.from();
  if (!from) return;
  ctx.save();
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.4;
  ctx.lineCap = "round";
  ctx.globalAlpha = 0.9;
  v.drawn().forEach((p, i) => {
    ctx.beginPath();
    ctx.moveTo(...view.px(from[i]));
    ctx.lineTo(...view.px(p));
    ctx.stroke();
  });
  ctx.restore();
}

function landmarkLines(v, i) {
  const { size, ocular } = v.meta;
  const moved = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const told = (text, d) => [
    text,
    `${number(d * size)} px${ocular ? ` · ${number((100 * d) / ocular)} % of eyes` : ""}`,
  ];
  const lines = /** @type {any[]} */ ([`${v.face.label[i]} · ${i}`]);
  if (v.rank() != null) lines.push(told("from the whole answer", moved([v.drawn()[i], v.set().points[i]])));
  if (v.sets.without)
    lines.push(told("moved by the occluder", moved([v.sets.with.points[i], v.sets.without.points[i]])));
  return lines;
}

function sentences(v) {
  const out = Object.entries(v.meta.under).map(([key, [a, b, c, d]]) => {
    const verb = b < a ? "falls" : "rises";
    return el(
      "p",
      {},
      el("b", {}, `${WORDS[key]} ${verb} under the occluder`),
      ` from ${number(a)} to ${number(b)}; beside it from ${number(c)} to ${number(d)} (means over the cells).`,
    );
  });
  if (v.rank() != null) out.push(el("p", {}, el("b", {}, `M cut to ${rankWords(v, v.rank())}.`)));
  return out;
}

function strip(v, change) {
  const { s } = v;
  const parts = {};
  if (v.sets.without) {
    const modes = [
      ["with", "with", "the covered face"],
      ["without", "without", "the face as it is"],
      ["difference", "difference", "covered minus uncovered"],
    ];
    parts.mode = segmented("occluder", modes, s.mode, (mode) => change({ mode }));
  }
  if (v.ranks) {
    const range = { min: 0, max: v.ranks, step: 1, value: s.rank ?? v.ranks, format: (r) => `${r} of ${v.ranks}` };
    const wanted = (r) => ({ rank: r >= v.ranks ? null : r });
    const rank = slider(
      "rank of M",
      "how many singular values of M are kept",
      range,
      (r) => change(wanted(r), false),
      (r) => change(wanted(r)),
    );
    parts.rank = { node: rank.node, set: (r) => rank.set(r ?? v.ranks) };
  }
  parts.points = toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points }));
  return parts;
}

function savedRows(v) {
  const from = v.sets.without?.points;
  const px = (x) => (x * v.meta.size).toFixed(3);
  return [
    ["landmark", "name", "x_crop_px", "y_crop_px", "uncovered_x_crop_px", "uncovered_y_crop_px"],
    ...v.drawn().map((p, i) => [i, v.face.label[i], ...p.map(px), ...(from ? from[i].map(px) : ["", ""])]),
  ];
}

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  let cover = null;
  return board(host, {
    name: "Occlusion",
    state(of) {
      const v = occlusionState(of);
      return Object.assign(v, { under: (ctx, view) => v.mode() !== "without" && cover?.draw(ctx, view) });
    },
    row: (v) => v.keys.map(item(v)),
    chosen: (v) => v.keys.indexOf(v.s.map),
    choose: (v, k) => ({ map: v.keys[k] }),
    map: (v) => v.picture(v.s.map),
    mapText: (v) => (v.mode() === "difference" ? `change of ${TEXT[v.s.map]}` : TEXT[v.s.map]),
    plain: () => "the crop that the network reads",
    over: drawMoves,
    lines: landmarkLines,
    charts: [gateChart, productChart, spectrumChart],
    strip,
    facts: occlusionFacts,
    said: sentences,
    rows: savedRows,
    ready(kit) {
      cover = coverEditor(kit);
      kit.controls = cover.controls;
      kit.busy = cover.busy;
      kit.arrived = cover.arrived;
      return cover.stop;
    },
  });
}
