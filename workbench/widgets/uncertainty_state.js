/* What the Uncertainty explorer shows at the moment, and what follows from it. Step 0 is the mean face, then comes
every layer of every stage; `t` lies between two of them while something plays. */

import { sameOccluder } from "./cover.js";
import { barOrder, niceTop, positionsAt, scaleAt, sigmaAt, spread, stageOf, stepOf } from "./uncertainty_numbers.js";

/** @param {import("./host.js").Host} host */
export function uncertaintyState(host) {
  const v = {
    meta: host.meta,
    /** @type {any} the selection, and the object that it was taken from */
    s: null,
    given: null,
    /** @type {any} the occluder, and what Python was last told of it */
    occluder: null,
    told: null,
    /** @type {ImageBitmap | null} */
    photo: null,
    /** @type {ImageBitmap | null} the covered part as Python painted it, and the occluder that it belongs to */
    cover: null,
    coverOf: null,
    /** @type {number | null} */
    hover: null,
    t: 0,
    /** What is drawn, which moves towards what is true: bars and ghosts in the chosen unit, rank of each bar. */
    shown: { points: [], bars: [], ghost: [], rank: [], top: 1 },
    steps: () => v.meta.path.length - 1,
    step: () => Math.round(v.t),
    at: () => stageOf(v.meta.shape[1], v.step()),
    stage: () => v.at()?.[0] ?? 0,
    focus: () => v.hover ?? v.s.landmark,
    /** The strength of what is not in focus; where a landmark is only pinned, the rest stays readable. */
    others: (faint, quiet) => (v.focus() == null ? 1 : v.hover == null ? quiet : faint),
    unit: () =>
      v.s.unit === "ocular" && v.meta.ocular
        ? { scale: 100 / v.meta.ocular, text: "% of the inter-ocular distance", short: "%" }
        : { scale: v.meta.size, text: `pixels of the ${v.meta.size} px crop`, short: " px" },
    unitText() {
      const { text, short } = v.unit();
      return `√(σx σy) in ${text}${short === "%" ? ` (${v.px(v.meta.ocular)} px)` : ""}`;
    },
    /** A length in [0, 1] of the crop as pixels. */
    px: (x) => (x * v.meta.size).toFixed(x * v.meta.size < 9.995 ? 2 : 1),
    /** By what the sigma of a stage is multiplied, and the sigma of its layer, [x, y] a landmark. */
    recalibrated: () => Boolean(v.s.recalibrated && v.meta.calibration),
    scale: (stage) => scaleAt(v.meta, v.s, stage),
    sigmaAt: (stage, layer) => sigmaAt(v.meta, stage, layer, v.scale(stage)),
    sigmas() {
      const at = v.at();
      return at ? v.sigmaAt(...at) : null;
    },
    spreads() {
      const sigmas = v.sigmas();
      return v.meta.path[0].map((_, i) => (sigmas ? v.unit().scale * spread(sigmas[i]) : 0));
    },
    /** The uncovered spreads of this step; null where there are none. */
    before() {
      const at = v.at();
      const old = at && v.meta.baseline?.sigma[at[0]][at[1]];
      return old ? old.map((sigma) => v.scale(at[0]) * v.unit().scale * spread(sigma)) : null;
    },
    /** Whether Python was told of an occluder that is not in what it sent. */
    asked: () => !sameOccluder(v.told, v.meta.occluder),
    /** Takes up what Python sent, or set from its side; an occluder that is being dragged stays. */
    adopt(busy) {
      if (host.get("selection") !== v.given) {
        v.given = host.get("selection");
        v.s = { ...v.given };
        v.t = stepOf(v.meta.shape[1], v.s.stage, v.s.layer);
      }
      v.t = Math.min(v.t, v.steps());
      const next = host.get("occluder");
      if (next === v.told || busy) return;
      v.told = next;
      v.occluder = next?.w ? { ...next } : null;
    },
    /** A function of 0 to 1 that moves what is drawn to what is true now. */
    towards() {
      const from = v.shown;
      const values = v.spreads();
      const ghost = v.before();
      const rank = [];
      barOrder(values, v.s.sort === "part" ? v.meta.face.order : null).forEach((i, at) => {
        rank[i] = at;
      });
      // Away from the landing the axis holds every stage, so that it stands still while the bars shrink.
      const largest = v.step() < v.steps() ? largestSpread(v) : 0;
      const top = niceTop(Math.max(...values, ...(ghost || [0]), largest));
      const points = positionsAt(v.meta.path, v.t);
      const known = from.bars.length === values.length;
      const mix = (a, b, k) => (known && Number.isFinite(a) ? a + (b - a) * k : b);
      return (k) => {
        v.shown = {
          points: points.map((p, i) => [0, 1].map((axis) => mix(from.points[i]?.[axis], p[axis], k))),
          bars: values.map((value, i) => mix(from.bars[i], value, k)),
          rank: rank.map((place, i) => mix(from.rank[i], place, k)),
          ghost: ghost || [],
          top: mix(from.top, top, k),
        };
      };
    },
    /** Landmarks from the top bar to the lowest, as drawn. */
    inOrder: () => [...v.shown.rank.keys()].sort((a, b) => v.shown.rank[a] - v.shown.rank[b]),
  };
  return v;
}

function largestSpread({ meta, unit, sigmaAt }) {
  const last = meta.shape[1] - 1;
  return unit().scale * Math.max(...meta.variance.flatMap((_, stage) => sigmaAt(stage, last).map(spread)));
}
