/* The controls above the face, those that the tensor has a use for. */

import { button, segmented, slider, toggle } from "./page.js";

const counted = (n, what) => Array.from({ length: n }, (_, k) => [k, String(k + 1), `${what} ${k + 1}`]);

/**
 * @param {{ strip: Element }} page
 * @param {any} v what inside_state.js makes
 * @param {(values: any, commit?: boolean) => void} change
 * @param {() => void} play
 * @returns {Record<string, any>} the controls under the names of their state
 */
export function insideStrip(page, v, change, play) {
  const { s, t } = v;
  const parts = {};
  const nodes = [];
  const add = (key, part, ...more) => {
    parts[key] = part;
    nodes.push(part.node, ...more);
  };
  const set = (key) => (value) => change({ [key]: value });
  const range = (key, label, title, options) =>
    slider(label, title, { value: s[key], ...options }, (value) => change({ [key]: value }, false), set(key));

  const last = v.meta.steps.length - 1;
  if (last > 0) {
    const format = (k) => (+k === 0 ? "mean face" : +k === last ? "landed" : `step ${k} of ${last}`);
    const steps = { min: 0, max: last, step: 1, value: v.step(), format };
    const title = "from the mean face to the answer";
    add("step", range("step", "trajectory", title, steps), button("▶", title, play));
  }
  const [stages, heads] = v.shape;
  if (stages > 1) add("stage", segmented("stage", counted(stages, "stage"), v.stage(), set("stage")));
  if (heads > 1) {
    const choices = [[null, "mean", "mean of all heads"], ...counted(heads, "head")];
    add("head", segmented("head", choices, v.head(), set("head")));
  }
  if (v.onLines) {
    const format = (k) => (+k ? `${k} each` : "all");
    add("topk", range("topk", "lines", "strongest lines of each landmark", { min: 0, max: 10, step: 1, format }));
  }
  if (v.onGrid) {
    const format = (x) => `${Math.round(100 * x)} %`;
    add("opacity", range("opacity", "opacity", "opacity of the map", { min: 0, max: 1, step: 0.05, format }));
  }
  const several = v.hasThumbs || stages > 1 || heads > 1;
  if ((several || v.onGrid) && !["bars", "boxes", "points"].includes(t?.kind)) {
    const least = ["range", "min to max", "colours reach from the least to the largest value of this map"];
    const choices = [
      ["map", "0 to max", "colours reach from 0 to the largest value of this map"],
      ...(v.onGrid ? [least] : []),
      ...(several ? [["all", "all maps", "one scale for all maps of this tensor"]] : []),
    ];
    add("scale", segmented("scale", choices, s.scale, set("scale")));
  }
  add("points", toggle("landmarks", "draw the landmarks", s.points, set("points")));
  page.strip.replaceChildren(...nodes);
  return parts;
}
