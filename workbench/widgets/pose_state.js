/* What the Pose view shows at the moment, and what follows from it. */

import { arraysOf, boardState, mapPicture, memory, oneOf, spanOfAll } from "./board_maps.js";

const WHOLE = { lo: 0, hi: 1, signed: false };

/** @param {import("./host.js").Host} host */
export function poseState(host) {
  const base = boardState(host);
  const { meta, maps } = base;
  const kept = memory();
  const arrays = arraysOf(host, "pose", meta.arrays);
  const v = {
    ...base,
    keys: Object.keys(meta.titles),
    channels: arrays.after.shape[0],
    channel: () => v.spots.channels ?? v.s.channel,
    /** A map of the row; features share one scale before and after. */
    picture(key, part = v.channel(), flat = false) {
      if (key === "photo") return null;
      const channel = key === "heatmap" ? null : part;
      return kept.once(`${key} ${channel} ${flat}`, () => {
        const array = arrays[key];
        const values = oneOf(array, channel);
        const span =
          key === "heatmap" ? WHOLE : spanOfAll([oneOf(arrays.before, channel), oneOf(arrays.after, channel)]);
        return mapPicture(values, array.shape.slice(-2), span, maps, !flat);
      });
    },
    drawn: () => meta.points,
  };
  return v;
}

/**
 * The facts of the caption (workbench/explain/system_captions.py: POSE).
 * @param {any} v
 */
export function poseFacts(v) {
  const { meta, s } = v;
  const map = v.picture(s.map);
  const [channels, rows, columns] = meta.arrays.after.shape;
  const features = s.map === "before" || s.map === "after";
  const f = v.hover ?? s.landmark;
  const [yaw, pitch, roll] = meta.angles;
  return {
    key: s.map,
    tensor: meta.tensors[s.map] || null,
    yaw,
    pitch,
    roll,
    confidence: meta.confidence,
    threshold: meta.threshold,
    floor: meta.floor,
    features,
    channel: features ? v.channel() : null,
    channels,
    rows,
    columns,
    low: map?.span.lo ?? null,
    high: map?.span.hi ?? null,
    landmark: f == null ? null : `${v.face.label[f]} (${f})`,
    widget: true,
  };
}
