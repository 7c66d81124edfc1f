/* Heatmap-guided selective features and the cascade that they feed: branch weights, gates, feature energy before and
after selection, heatmaps, close-ups of the steps, pruning. State "selection" (cascade.py: SELECTION). */

import { board } from "./board.js";
import { closeChart, sizeChart, weightChart } from "./cascade_charts.js";
import { apart, cascadeFacts, cascadeState, splitKey } from "./cascade_state.js";
import { number } from "./numbers.js";
import { el, segmented, slider, toggle } from "./page.js";

const TEXT = {
  branch: "mean |feature|",
  gate: "gate",
  after: "mean |feature|",
  heatmaps: "heatmap",
  boundary: "boundary map",
};

const item = (v) => (key) => {
  const map = v.picture(key);
  const { lo, hi } = map?.span ?? {};
  return { title: v.meta.titles[key], sub: map ? `${number(lo)} to ${number(hi)}` : "and the landmarks", map };
};

/* From the place that the heatmaps give to where the landmarks are now; of the one in focus what each cascade saw. */
function over(ctx, v, view) {
  const f = v.focus();
  ctx.save();
  if (v.key() === "photo") {
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 1.4;
    v.drawn().forEach((p, i) => {
      ctx.beginPath();
      for (const points of v.meta.steps.slice(0, v.kept() + 1)) ctx.lineTo(...view.px(points[i]));
      ctx.lineTo(...view.px(p));
      ctx.stroke();
    });
  }
  if (f != null)
    v.meta.rects.slice(0, v.kept()).forEach((rects, k) => {
      const [x, y, w, h] = rects[f];
      const [left, top] = view.px([x, y]);
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 1.2;
      ctx.setLineDash(k ? [2, 3] : [6, 4]);
      ctx.strokeRect(left, top, w * view.side, h * view.side);
    });
  ctx.restore();
}

function landmarkLines(v, i) {
  const { meta } = v;
  const far = (a, b) => `${number(apart([a], [b], meta.size))} px`;
  return [
    `${v.face.label[i]} · ${i}`,
    ["heatmap's maximum to its mean place", far(meta.peaks[i], meta.steps[0][i])],
    ...meta.steps.slice(1).map((points, k) => [`moved by cascade ${k + 1}`, far(points[i], meta.steps[k][i])]),
  ];
}

function sentences(v) {
  const { meta } = v;
  const moved = meta.steps.slice(1).map((points, k) => {
    const by = number(apart(points, meta.steps[k], meta.size));
    return `cascade ${k + 1} by ${by} px`;
  });
  const error = meta.errors[v.kept()];
  const size = meta.sizes ? ` It has ${number(meta.sizes[v.kept()] / 1e6)} M parameters` : "";
  const told = error == null ? "." : ` and an NME of ${number(error)} % on its card's test faces.`;
  return [
    el("p", {}, el("b", {}, "The cascades move landmarks"), ` on average: ${moved.join(", ")}.`),
    el(
      "p",
      {},
      el("b", {}, v.kept() < v.last ? `Pruned to ${v.kept()} of ${v.last} cascades.` : "Nothing pruned."),
      size && `${size}${told}`,
    ),
    el("p", {}, "The task weights (log sigma, Fig. 7) belong to the training and are not kept with the checkpoint."),
  ];
}

function strip(v, change) {
  const { s, meta } = v;
  const tasks = meta.tasks.map(({ name }, k) => [k, name, `what the task of ${name} takes from the branches`]);
  const range = { min: 0, max: v.last, step: 1, value: s.kept ?? v.last, format: (k) => `${k} of ${v.last}` };
  const wanted = (k) => ({ kept: k >= v.last ? null : k });
  const kept = slider(
    "cascades kept",
    "how many cascades pruning keeps",
    range,
    (k) => change(wanted(k), false),
    (k) => change(wanted(k)),
  );
  return {
    task: segmented("task", tasks, s.task, (task) =>
      change({ task, map: meta.tasks[task].keys.includes(s.map) ? s.map : "after" }),
    ),
    kept: { node: kept.node, set: (k) => kept.set(k ?? v.last) },
    points: toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points })),
  };
}

function savedRows(v) {
  const { meta } = v;
  const px = (place) => place.map((x) => (x * meta.size).toFixed(3));
  const names = meta.steps.flatMap((_, k) => [`x_crop_px ${k} cascades`, `y_crop_px ${k} cascades`]);
  return [
    ["landmark", "name", "x_crop_px heatmap maximum", "y_crop_px heatmap maximum", ...names],
    ...v.face.label.map((label, i) => [i, label, ...px(meta.peaks[i]), ...meta.steps.flatMap((p) => px(p[i]))]),
  ];
}

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  return board(host, {
    name: "Cascade",
    state: cascadeState,
    row: (v) => v.task().keys.map(item(v)),
    chosen: (v) => v.task().keys.indexOf(v.key()),
    choose: (v, k) => ({ map: v.task().keys[k] }),
    map: (v) => v.picture(v.key()),
    mapText: (v) => TEXT[splitKey(v.key()).kind],
    plain: (v) => `from the heatmaps' place to the answer of ${v.kept()} cascades`,
    over,
    lines: landmarkLines,
    charts: [weightChart, closeChart, sizeChart],
    strip,
    facts: cascadeFacts,
    said: sentences,
    rows: savedRows,
  });
}
