/* What the bars beside the face stand for, and the rows that are saved. */

import { histogram } from "./heatmap.js";
import { stageColour } from "./inside_face.js";
import { number } from "./numbers.js";

const OWN = "#7F868F"; // of a point that is no landmark
const distance = ([x0, y0], [x1, y1]) => 100 * Math.hypot(x1 - x0, y1 - y0);

/**
 * @param {any} v what inside_state.js makes
 * @returns {{ rows: ArrayLike<number>[], colours: (row: number, k: number) => string, under: string,
 *   words: (k: number) => any[], name?: (row: number) => string, landmark?: (k: number) => number, scale?: any }}
 */
export function barRows(v) {
  if (!v.t) return movedRows(v);
  if (v.kind === "bars") return channelRows(v);
  if (v.kind === "boxes") {
    const width = (i) => 100 * v.block()[4 * i + 2];
    return landmarkRow(v, width, "width of each landmark's patch, % of the crop", "patch width");
  }
  if (v.kind === "points") {
    const last = v.meta.steps.at(-1).points;
    const far = (i) => distance(v.recorded()[i], last[i]);
    return landmarkRow(v, far, "distance from where each landmark landed, % of the crop", "distance");
  }
  const span = v.span();
  const found = histogram(v.mapOf(null), span);
  const width = (span.hi - span.lo) / found.length;
  const map = span.signed ? v.maps.signed : v.maps.plain;
  const edge = (k) => number(span.lo + k * width);
  return {
    rows: [found],
    colours: (_, k) => map.css((k + 0.5) / found.length),
    under: "",
    scale: span,
    words: (k) => [`${found[k]} cells`, ["values", `${edge(k)} to ${edge(k + 1)}`]],
  };
}

/* How far each stage moved each landmark. */
function movedRows(v) {
  const { steps, ends } = v.meta;
  const by = v.face.order;
  const stops = [0, ...ends];
  const moved = (r, i) => distance(steps[stops[r]].points[i], steps[stops[r + 1]].points[i]);
  const name = (r) => `stage ${r + 1}`;
  return {
    rows: ends.map((_, r) => by.map((i) => moved(r, i))),
    colours: (r) => stageColour(v, r),
    under: "moved, % of the crop",
    name,
    landmark: (k) => by[k],
    words: (k) => [v.face.label[by[k]], ...ends.map((_, r) => [name(r), `${number(moved(r, by[k]))} %`])],
  };
}

function channelRows(v) {
  const [rows, cols] = v.shape.slice(2);
  const list = Array.from({ length: rows }, (_, r) => v.block().subarray(r * cols, (r + 1) * cols));
  const name = (r) => `${v.axis(0)} ${r}`;
  return {
    rows: list,
    colours: (r) => v.cividis.css(rows === 1 ? 0.35 : 0.15 + (0.8 * r) / (rows - 1)),
    under: `channel, 0 to ${cols - 1}`,
    name,
    words: (k) => [`channel ${k}`, ...list.map((row, r) => [rows > 1 ? name(r) : "value", number(row[k])])],
  };
}

function landmarkRow(v, value, under, title) {
  const by = v.face.order.filter((i) => i < v.count);
  return {
    rows: [by.map(value)],
    colours: (_, k) => v.face.colour[by[k]] ?? OWN,
    under,
    landmark: (k) => by[k],
    words: (k) => [v.face.label[by[k]], [title, `${number(value(by[k]))} %`]],
  };
}

/**
 * The numbers of what is shown, with a line of names.
 * @param {any} v
 * @returns {(string | number)[][]}
 */
export function savedRows(v) {
  const digits = (x) => +x.toPrecision(6);
  const label = (i) => v.face.label[i] ?? "point";
  if (!v.t) {
    const shown = v.meta.steps.slice(0, v.step() + 1);
    const rows = shown.flatMap(({ text, points }) => points.map((p, i) => [text, i, label(i), ...p]));
    return [["step", "landmark", "name", "x", "y"], ...rows];
  }
  const values = v.block();
  const several = (size) => Array.from({ length: v.count }, (_, i) => [...values.slice(size * i, size * (i + 1))]);
  if (v.onLines) {
    const [from, to] = [v.axis(-2), v.axis(-1)];
    const lines = v
      .linesNow()
      .reverse()
      .map((e) => [e.q, label(e.q), e.k, label(e.k), digits(e.w)]);
    return [[from, `${from}_name`, to, `${to}_name`, "weight"], ...lines];
  }
  if (v.kind === "boxes" || (v.kind === "patches" && v.item() == null)) {
    const rects = v.kind === "boxes" ? several(4) : (v.t.rects?.[v.stage()] ?? []);
    return [["landmark", "name", "x", "y", "width", "height"], ...rects.map((r, i) => [i, label(i), ...r.map(digits)])];
  }
  if (v.kind === "points") {
    return [["landmark", "name", "x", "y"], ...several(2).map((p, i) => [i, label(i), ...p.map(digits)])];
  }
  const [map, cols] = v.onGrid ? [v.mapOf(v.item()), v.shape[4]] : [values, v.shape[3]];
  const names = v.onGrid ? ["y", "x"] : [v.kind === "bars" && v.shape[2] === 1 ? "row" : v.axis(-2), v.axis(-1)];
  return [[...names, "value"], ...[...map].map((x, k) => [Math.floor(k / cols), k % cols, digits(x)])];
}
