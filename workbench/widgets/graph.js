/* A landmark graph on the face: edges as learned and as this face has them, node positions after every block, and how
landmarks lie to their neighbours. State "selection" (graph.py: SELECTION). */

import { board } from "./board.js";
import { drawArrow, drawDots, weightLook } from "./draw.js";
import { layerChart, neighbourChart, residualChart } from "./graph_charts.js";
import { graphFacts, graphState, lengths, mean } from "./graph_state.js";
import { number } from "./numbers.js";
import { el, segmented, slider, toggle } from "./page.js";

const TEXT = {
  face: "edge weight, line width and colour",
  learned: "learned edge weight, line width and colour",
  change: "weight on this face less learned",
  even: "weight on this face less 1 / degree",
};

function drawEdges(ctx, v, view) {
  const { drawing } = v.meta;
  const at = v.drawn();
  const top = v.top();
  for (const { i, j, w } of v.lines()) {
    const { width } = weightLook(drawing, v.maps.plain, Math.abs(w), top);
    const colour = v.signed() ? v.maps.signed.css(0.5 + w / (2 * top)) : v.maps.plain.css(w / top);
    drawArrow(ctx, view.px(at[i]), view.px(at[j]), { colour, width, bend: drawing.bend });
  }
}

/* Vectors at places, `factor` times as long as they are. */
function drawVectors(ctx, view, places, vectors, factor, colours, width = 1.6) {
  places.forEach((p, i) => {
    const end = [p[0] + factor * vectors[i][0], p[1] + factor * vectors[i][1]];
    drawArrow(ctx, view.px(p), view.px(end), { colour: colours(i), width, bend: 0, head: 4 + width });
  });
}

/* The arrow of a move ends where the node is now. */
function drawMoves(ctx, v, view, step, factor, width) {
  const moved = v.moved(step);
  const from = v.meta.steps[step].map((p, i) => [p[0] - factor * moved[i][0], p[1] - factor * moved[i][1]]);
  drawVectors(ctx, view, from, moved, factor, () => "#fff", width);
}

function over(ctx, v, view) {
  const f = v.focus();
  if (v.s.show === "edges") drawEdges(ctx, v, view);
  else if (v.s.show === "moves") drawMoves(ctx, v, view, v.s.step, v.arrows());
  else
    drawVectors(ctx, view, v.drawn(), v.residuals(), v.arrows(), (i) =>
      f == null || f === i ? "#fff" : "rgb(255 255 255 / .35)",
    );
}

const item = (v) => (name, step) => {
  const by = mean(lengths(v.moved(step), v.meta.size));
  return {
    title: name,
    sub: step ? `moved by ${number(by)} px on average` : "where the graph begins",
    map: null,
    draw(ctx, view) {
      ctx.fillStyle = "rgb(12 12 16 / .4)";
      ctx.fillRect(view.x0, view.y0, view.side, view.side);
      if (step) drawMoves(ctx, v, view, step, v.meta.arrows.moves, 1);
      drawDots(ctx, view, v.meta.steps[step], v.face, { radius: 1.6, rim: null });
    },
  };
};

function landmarkLines(v, i) {
  const { meta } = v;
  const whole = meta.steps.at(-1)[i].map((x, k) => x - meta.steps[0][i][k]);
  const px = (vector) => `${number(lengths([vector], meta.size)[0])} px`;
  return [
    `${v.face.label[i]} · ${i}`,
    ["degree, itself included", `${meta.degree[i]}`],
    ["moved by the graph", px(whole)],
    ...(meta.relative ? [["P S - P S*", px(v.residuals()[i])]] : []),
  ];
}

function sentences(v) {
  const { meta } = v;
  const whole = meta.steps.at(-1).map((p, i) => p.map((x, k) => x - meta.steps[0][i][k]));
  const d = mean(lengths(whole, meta.size));
  const eyes = meta.ocular ? ` (${number((100 * d) / (meta.ocular * meta.size))} % of the eyes)` : "";
  const { learned, face } = meta.departure;
  const percent = (list) => `${number(100 * mean(list))} %`;
  return [
    el(
      "p",
      {},
      el("b", {}, `The graph moves landmarks by ${number(d)} px on average${eyes}`),
      ` from ${meta.names[0]}.`,
    ),
    el(
      "p",
      {},
      el("b", {}, `Learned edges depart from 1 / degree by ${percent(learned)} on average, `),
      `those on this face by ${percent(face)}.`,
    ),
  ];
}

function strip(v, change) {
  const { s, meta } = v;
  const shows = [
    ["edges", "edges", "edge weights of a layer"],
    ["moves", "moves", "how far the last step moved each node"],
    ...(meta.relative
      ? [["residuals", "P·S - P·S*", "how landmarks lie to their neighbours, against a reference"]]
      : []),
  ];
  const modes = [
    ["face", "this face", "edge weights as this face has them"],
    ["learned", "learned", "edge weights by the parameters alone"],
    ["change", "less learned", "this face less learned"],
    ["even", "less 1 / degree", "this face less 1 / degree"],
  ];
  const last = meta.layers.length;
  const layers = { min: 1, max: last, step: 1, value: s.layer + 1, format: (k) => `${k} of ${last}` };
  const layer = slider(
    "layer",
    "which layer's edges",
    layers,
    (k) => change({ layer: k - 1, show: "edges" }, false),
    (k) => change({ layer: k - 1, show: "edges" }),
  );
  const parts = {
    show: segmented("", shows, s.show, (show) => change({ show })),
    layer: { node: layer.node, set: (k) => layer.set(k + 1) },
    mode: segmented("", modes, s.mode, (mode) => change({ mode, show: "edges" })),
  };
  const names = { truth: "labels", start: "centres of maps", mean: "mean face" };
  const references = Object.entries(meta.references).map(([name, text]) => [name, names[name], text]);
  if (meta.relative && references.length > 1)
    parts.reference = segmented("S*", references, s.reference, (reference) => change({ reference, show: "residuals" }));
  parts.points = toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points }));
  return parts;
}

function savedRows(v) {
  const { meta } = v;
  const names = ["landmark", "name", "degree", ...meta.names.flatMap((n) => [`x_crop_px ${n}`, `y_crop_px ${n}`])];
  return [
    [...names, "residual_x_crop_px", "residual_y_crop_px"],
    ...v.face.label.map((label, i) => [
      i,
      label,
      meta.degree[i],
      ...meta.steps.flatMap((points) => points[i].map((x) => (x * meta.size).toFixed(4))),
      ...v.residuals()[i].map((x) => (x * meta.size).toFixed(4)),
    ]),
  ];
}

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  return board(host, {
    name: "Graph",
    state: graphState,
    row: (v) => v.meta.names.map(item(v)),
    chosen: (v) => v.s.step,
    choose: (v, step) => ({ step, ...(v.s.show === "edges" ? { show: "moves" } : {}) }),
    map: () => null,
    mapText: () => "",
    dim: () => 0.45,
    legend: (v) =>
      v.s.show !== "edges"
        ? null
        : {
            map: v.signed() ? v.maps.signed : v.maps.plain,
            lo: v.signed() ? -v.top() : 0,
            hi: v.top(),
            text: TEXT[v.s.mode],
            wedge: v.signed() ? 0 : v.meta.drawing.width[1],
          },
    plain(v) {
      const longer = v.arrows() > 1 ? ` · arrows ${number(v.arrows())} times as long as they are` : "";
      return `after: ${v.meta.names[v.s.step]}${longer}`;
    },
    over,
    lines: landmarkLines,
    charts: [layerChart, neighbourChart, residualChart],
    strip,
    facts: graphFacts,
    said: sentences,
    rows: savedRows,
  });
}
