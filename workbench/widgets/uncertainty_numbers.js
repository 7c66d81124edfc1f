/* The arithmetic of the Uncertainty view and the facts of its caption; pure. meta is the payload of uncertainty.py. */

import { occluderRect } from "./cover.js";
import { number } from "./numbers.js";
import { insideRect } from "./rect.js";

/* Step 0 is the mean face, then every layer of every stage. */
export const stepOf = (layers, stage, layer) => (stage == null ? 0 : 1 + stage * layers + layer);
export const stageOf = (layers, step) => (step < 1 ? null : [Math.floor((step - 1) / layers), (step - 1) % layers]);

/* Standard deviation of each landmark, [x, y] in [0, 1] of the crop: root of the variance times the patch's sides, and
times `scale`, which scaleAt gives. */
export const sigmaAt = ({ variance, rects }, stage, layer, scale = 1) =>
  variance[stage][layer].map(([vx, vy], i) => [
    scale * Math.sqrt(vx) * rects[stage][i][2],
    scale * Math.sqrt(vy) * rects[stage][i][3],
  ]);
/* By what the sigma of a stage is multiplied under a selection: 1 as predicted, else the card's scalar. */
export const scaleAt = ({ calibration }, s, stage) => (s.recalibrated && calibration ? calibration.scales[stage] : 1);
export const spread = ([x, y]) => Math.sqrt(x * y);

/* Axis-aligned ellipse of k sigma in pixels: [centre x, centre y, radius x, radius y]. */
export const ellipseOf = (view, point, [sx, sy], k) => [...view.px(point), k * sx * view.side, k * sy * view.side];

/* Landmarks at a step, straight lines between whole ones. */
export function positionsAt(path, t) {
  const k = Math.min(path.length - 1, Math.max(0, Math.floor(t)));
  const rest = Math.max(0, t - k);
  const next = path[Math.min(path.length - 1, k + 1)];
  return path[k].map(([x, y], i) => (rest ? [x + (next[i][0] - x) * rest, y + (next[i][1] - y) * rest] : [x, y]));
}

/* Landmarks from the top bar to the lowest: by value, largest first, or in the given order. */
export const barOrder = (values, order = null) =>
  order || values.map((_, i) => i).sort((a, b) => values[b] - values[a] || a - b);

/* The next round number above x, so that an axis does not tremble. */
export function niceTop(x) {
  if (!(x > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(x));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((m) => m * power).find((top) => top >= x * 0.9999);
}

export const coveredBy = (points, o) => points.map((p) => Boolean(o && insideRect(occluderRect(o), p)));

/* Mean spread with and without the occluder, of the landmarks under it and of the others; null for none. */
export function effectOf(now, before, covered) {
  const part = (wanted) => {
    const which = covered.flatMap((c, i) => (c === wanted ? [i] : []));
    if (!which.length) return null;
    const mean = (values) => which.reduce((sum, i) => sum + values[i], 0) / which.length;
    const a = mean(before);
    const b = mean(now);
    return { count: which.length, before: a, now: b, ratio: a > 0 ? b / a : Infinity };
  };
  return { covered: part(true), free: part(false) };
}

/* The rule of the patch sizes in words. */
export function sizeRule({ factor, power, limits }) {
  return power
    ? `side = last side × clamp(${number(factor)} ${power}, ${number(limits[0])}, ${number(limits[1])})`
    : "every stage halves the side";
}

/**
 * The facts of the caption (workbench/explain/caption_tables.py: UNCERTAINTY).
 * @param {any} meta
 * @param {any} s the selection
 * @param {number} step
 */
export function uncertaintyFacts(meta, s, step) {
  const [stages, layers] = meta.shape;
  const at = stageOf(layers, step);
  const { occluder, inside } = meta;
  const recalibrated = at && s.recalibrated && meta.calibration;
  return {
    stage: at ? at[0] + 1 : null,
    stages,
    layer: at ? at[1] + 1 : null,
    layers,
    scale: recalibrated ? scaleAt(meta, s, at[0]) : null,
    fitted: recalibrated ? meta.calibration.fitted : null,
    ellipses: s.ellipses,
    patches: s.patches,
    path: s.path,
    law: meta.likelihood === "laplace" ? "Laplace distribution" : "Gaussian",
    inside1: inside[0],
    inside2: inside[1],
    inside3: inside[2],
    occluder: occluder?.fill ?? null,
    covered: occluder ? +(100 * occluder.w * occluder.h).toPrecision(2) : null,
    compared: Boolean(meta.baseline && at),
    pinned: s.landmark == null ? null : `${meta.face.label[s.landmark]} (${s.landmark})`,
  };
}

const DASHES = { solid: [], dot: [2, 3], dash: [7, 4] };
/** How a patch's state is drawn; looks is meta.looks: state -> [colour, dash]. */
export const lookOf = (looks, state) => ({
  colour: looks[state][0],
  dash: DASHES[looks[state][1]] || [],
  width: state === "ceiling" ? 2 : 1.4,
});
