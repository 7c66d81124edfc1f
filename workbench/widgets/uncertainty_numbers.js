/* spread.js: the arithmetic, the words and the looks of uncertainty.js; needs page.js, draw.js and rect.js.
Pure: stepOf, stageOf, sigmaAt, spread, ellipseOf, positionsAt, barOrder, niceTop, sameOccluder, coveredBy, effectOf,
sizeRule, uncertaintyCaption. meta is the payload of uncertainty.py. */

import { number } from "./numbers.js";
import { insideRect, RECT_STYLE } from "./rect.js";

/* Step 0 is the mean face, then every layer of every stage. */
export const stepOf = (layers, stage, layer) => (stage == null ? 0 : 1 + stage * layers + layer);
export const stageOf = (layers, step) => (step < 1 ? null : [Math.floor((step - 1) / layers), (step - 1) % layers]);

/* Standard deviation of each landmark, [x, y] in [0, 1] of the crop: root of the variance times the patch's sides. */
export const sigmaAt = ({ variance, rects }, stage, layer) =>
  variance[stage][layer].map(([vx, vy], i) => [Math.sqrt(vx) * rects[stage][i][2], Math.sqrt(vy) * rects[stage][i][3]]);
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

export const occluderRect = ({ x, y, w, h }) => [x, y, x + w, y + h];
/* Whether two occluders ({} or null: none) lie on the same pixels. */
export const sameOccluder = (a, b) =>
  !a?.w || !b?.w
    ? !a?.w && !b?.w
    : a.fill === b.fill && ["x", "y", "w", "h"].every((k) => Math.abs(a[k] - b[k]) < 1e-3);
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

export function uncertaintyCaption(meta, s, step) {
  const [stages, layers] = meta.shape;
  const at = stageOf(layers, step);
  const o = meta.occluder;
  const law = meta.likelihood === "laplace" ? "Laplace distribution" : "Gaussian";
  const where = at
    ? ` · stage ${at[0] + 1} of ${stages} · layer ${at[1] + 1} of ${layers}`
    : " · mean face, before the first stage";
  return [
    [at ? "alignment.variance" : "mean_shape", true],
    [where],
    [
      s.ellipses && at
        ? ` · ellipses at 1, 2, 3 σ, σ = √variance × patch side; a ${law} has ${meta.inside.join(", ")} % of its mass inside`
        : "",
    ],
    [s.patches ? ` · patches.rects, v the last layer's variance in patch sides²` : ""],
    [s.path && at ? " · path: the answers of all layers up to here, joined by straight lines" : ""],
    [
      o
        ? ` · ${o.fill} over ${number(+(100 * o.w * o.h).toPrecision(2))} % of the crop${meta.baseline && at ? ", bars: marks at the uncovered σ, blocks before those under the occluder, white lines: from the uncovered answer" : ""}`
        : "",
    ],
    [" · darker colours: image left"],
  ];
}

/* Looks ---------------------------------------------------------------------------------------------------- */

const DASHES = { solid: [], dot: [2, 3], dash: [7, 4] };
/* How a patch's state is drawn; looks is meta.looks: state -> [colour, dash]. */
export const lookOf = (looks, state) => ({
  colour: looks[state][0],
  dash: DASHES[looks[state][1]] || [],
  width: state === "ceiling" ? 2 : 1.4,
});
export const UNCERTAINTY_STYLE =
  RECT_STYLE +
  `
.wb .wb-play { min-width: 36px; } .wb-time input[type=range] { width: 128px !important; } .wb-time output { min-width: 13ch; }
.wb-keys { display: flex; flex-wrap: wrap; gap: 3px 14px; font-size: 12px; color: var(--soft); min-height: 18px; }
.wb-keys span { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; }
.wb-keys i { width: 10px; height: 10px; border-radius: 2px; } .wb-keys svg { background: #33363d; border-radius: 3px; }
.wb-head { display: flex; flex-wrap: wrap; gap: 6px 14px; align-items: center; color: var(--soft); }
.wb-table { width: 100%; border-collapse: collapse; font-size: 12px; }
.wb-table caption { text-align: left; padding: 0 0 3px; color: var(--ink); font-weight: 600; } .wb-table caption small { font-weight: 400; color: var(--soft); font-size: 12px; }
.wb-table th { font-weight: 400; color: var(--soft); text-align: right; vertical-align: bottom; padding: 1px 0 1px 6px; } .wb-table td { text-align: right; padding: 1px 0 1px 6px; }
.wb-table tr > :first-child { text-align: left; padding-left: 0; } .wb-table tbody tr { border-top: 1px solid var(--line); }
.wb-table b { font-weight: 650; } .wb-keys b { font-weight: 600; color: var(--ink); }
.wb-detail { min-height: 118px; color: var(--soft); font-size: 12px; } .wb-detail td { color: var(--ink); }
.wb-effect { transition: opacity .15s; } .wb-effect.waiting { opacity: .55; } .wb-effect:empty { display: none; }
@container (max-width: 700px) { .wb-detail { min-height: 0; } }
@container (min-width: 700.1px) and (max-width: 860px) { .wb-table td svg { display: none; } }
.wb-table td svg { width: 20px; vertical-align: -2px; margin-right: 4px; background: #33363d; border-radius: 3px; }
`;

export const sampleLine = ({ colour, dash, width }) => {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  const line = document.createElementNS(ns, "path");
  svg.setAttribute("width", 28);
  svg.setAttribute("height", 12);
  svg.setAttribute("aria-hidden", "true");
  for (const [k, v] of Object.entries({
    d: "M3 6H25",
    stroke: colour,
    "stroke-width": width + 0.3,
    "stroke-dasharray": dash.join(" "),
  }))
    line.setAttribute(k, v);
  svg.append(line);
  return svg;
};
