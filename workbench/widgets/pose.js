/* Head pose on the face, face confidence, and the features before and after the distance heatmap that both are read
from. State "selection" (pose.py: SELECTION). */

import { board } from "./board.js";
import { drawDots } from "./draw.js";
import { number } from "./numbers.js";
import { el, toggle } from "./page.js";
import { ANGLE_COLOURS, angleChart, channelChart, confidenceChart, drawAxes } from "./pose_charts.js";
import { poseFacts, poseState } from "./pose_state.js";

const TEXT = { before: "feature", heatmap: "H", after: "feature × H" };

const item = (v) => (key) => {
  const map = v.picture(key);
  const { lo, hi } = map?.span ?? {};
  const draw = (ctx, view) => {
    drawDots(ctx, view, v.drawn(), v.face, { radius: 1.3, rim: null });
    drawAxes(ctx, v.meta, view, 0.55);
  };
  return {
    title: v.meta.titles[key],
    sub: map
      ? `${number(lo)} to ${number(hi)}`
      : v.meta.names.map((n, k) => `${n} ${number(v.meta.angles[k])}°`).join(", "),
    map,
    draw: map ? undefined : draw,
  };
};

function sentences(v) {
  const { meta } = v;
  const chips = meta.directions.map((text, k) => el("b", { style: `color: ${ANGLE_COLOURS[k]}` }, `● ${text}  `));
  const errors = meta.names.filter((n) => n in meta.errors).map((n) => `${n} ${number(meta.errors[n])}°`);
  return [
    el("p", {}, ...chips),
    ...(errors.length
      ? [
          el(
            "p",
            {},
            el("b", {}, "Mean absolute errors on the card: "),
            `${errors.join(", ")}, against the angles that its notes describe.`,
          ),
        ]
      : []),
  ];
}

function savedRows(v) {
  const { meta } = v;
  return [
    ["quantity", "value"],
    ...meta.names.map((name, k) => [`${name}_degrees`, meta.angles[k]]),
    ["confidence", meta.confidence],
    ["threshold", meta.threshold],
    ...meta.directions.flatMap((name, k) => ["x", "y", "z"].map((axis, i) => [`${name} ${axis}`, meta.axes[k][i]])),
  ];
}

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  return board(host, {
    name: "Pose",
    state: poseState,
    row: (v) => v.keys.map(item(v)),
    chosen: (v) => v.keys.indexOf(v.s.map),
    choose: (v, k) => ({ map: v.keys[k] }),
    map: (v) => v.picture(v.s.map),
    mapText: (v) => TEXT[v.s.map],
    plain: (v) => v.meta.names.map((name, k) => `${name} ${number(v.meta.angles[k])}°`).join("   "),
    over: (ctx, v, view) => v.s.axes && drawAxes(ctx, v.meta, view),
    lines: (v, i) => [`${v.face.label[i]} · ${i}`],
    charts: [angleChart, confidenceChart, channelChart],
    strip: (v, change) => ({
      axes: toggle("axes", "draw the head's axes", v.s.axes, (axes) => change({ axes })),
      points: toggle("landmarks", "draw the landmarks", v.s.points, (points) => change({ points })),
    }),
    facts: poseFacts,
    said: sentences,
    rows: savedRows,
  });
}
