/* What the Cascade view shows at the moment, and what follows from it. */

import { arraysOf, boardState, mapPicture, memory, spanOfAll } from "./board_maps.js";
import { colourMap } from "./colours.js";
import { together } from "./heatmap.js";

const SHADES = [0.12, 0.5, 0.9];

/** A key without its number, and the number (0 without one). */
export const splitKey = (key) => {
  const kind = key.replace(/\d+$/, "");
  return { kind, at: Number(key.slice(kind.length) || 0) };
};

/** @param {import("./host.js").Host} host */
export function cascadeState(host) {
  const base = boardState(host);
  const { meta, maps } = base;
  const kept = memory();
  const arrays = arraysOf(host, "cascade", meta.arrays);
  const bars = colourMap(host.bytes("lut.cividis"));
  const cut = ({ values, shape }, k) => {
    const cells = shape.at(-1) * shape.at(-2);
    return values.subarray(k * cells, (k + 1) * cells);
  };
  const v = {
    ...base,
    shade: (branch) => bars.css(SHADES[branch] ?? branch / Math.max(1, meta.branches - 1)),
    ink: bars.css(0.3),
    last: meta.steps.length - 1,
    task: () => meta.tasks[v.s.task],
    /** The large face keeps its kind of map when another task lacks it. */
    key: () => (v.task().keys.includes(v.s.map) ? v.s.map : "after"),
    channel: () => v.spots.weights ?? v.s.channel,
    focus: () => v.hover ?? v.s.landmark,
    /** Cascades that pruning leaves. */
    kept: () => Math.min(v.last, v.spots.size ?? v.s.kept ?? v.last),
    values(key) {
      const { kind, at } = splitKey(key);
      if (kind === "branch") return cut(arrays.branch, at);
      if (kind === "after") return cut(arrays.after, v.s.task);
      if (kind === "boundary") return arrays.boundary.values;
      if (kind === "heatmaps") {
        const f = v.focus();
        return f == null ? together(arrays.heatmaps.values, meta.face.count, "max") : cut(arrays.heatmaps, f);
      }
      const gates = arrays[`gate.${v.s.task}`];
      const [, channels, h, w] = gates.shape;
      const branch = gates.values.subarray(at * channels * h * w, (at + 1) * channels * h * w);
      const c = v.channel();
      return c == null ? together(branch, channels, "mean") : branch.subarray(c * h * w, (c + 1) * h * w);
    },
    picture(key) {
      if (key === "photo") return null;
      const { kind } = splitKey(key);
      const part = kind === "gate" ? v.channel() : kind === "heatmaps" ? v.focus() : null;
      return kept.once(`${key} ${v.s.task} ${part}`, () => {
        const values = v.values(key);
        const array = arrays[kind] ?? arrays[`gate.${v.s.task}`];
        return mapPicture(values, array.shape.slice(-2), spanOfAll([values]), maps);
      });
    },
    /** The heatmap of one landmark for the close-up. */
    heatmap: (i) =>
      kept.once(`close ${i}`, () => {
        const values = cut(arrays.heatmaps, i);
        return mapPicture(values, arrays.heatmaps.shape.slice(-2), spanOfAll([values]), maps);
      }),
    drawn: () => meta.steps[v.kept()],
  };
  return v;
}

/** Mean distance of two shapes in pixels of the crop. */
export const apart = (a, b, size) =>
  (size * a.reduce((sum, p, i) => sum + Math.hypot(p[0] - b[i][0], p[1] - b[i][1]), 0)) / a.length;

/**
 * The facts of the caption (workbench/explain/system_captions.py: CASCADE).
 * @param {any} v
 */
export function cascadeFacts(v) {
  const { meta } = v;
  const key = v.key();
  const { kind, at } = splitKey(key);
  const map = v.picture(key);
  const f = v.focus();
  const shape = map ?? v.picture("after");
  const channels = { branch: meta.branchChannels, gate: v.task().weights[0].length };
  return {
    tensor: v.task().tensors[key] || null,
    kind,
    task: v.task().name,
    branch: at + 1,
    branches: meta.branches,
    channels: channels[kind] ?? v.task().channels,
    channel: kind === "gate" ? v.channel() : null,
    landmark: f == null ? null : `${v.face.label[f]} (${f})`,
    landmarks: v.face.count,
    rows: shape.h,
    columns: shape.w,
    low: map?.span.lo ?? null,
    high: map?.span.hi ?? null,
    kept: v.kept() < v.last ? v.kept() : null,
    cascades: v.last,
    widget: true,
  };
}
