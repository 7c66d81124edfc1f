/* The controls above the face and above the bars. */

import { number } from "./numbers.js";
import { button, el, segmented, slider, spacer, toggle } from "./page.js";
import { stageOf } from "./uncertainty_numbers.js";

const scaleWords = ({ scales, fitted }) =>
  `σ of stages ${scales.map((_, k) => k + 1).join(", ")} times ${scales.map(number).join(", ")}, fitted on ${fitted}`;

/**
 * @param {{ strip: Element }} page
 * @param {Element} header what stands above the bars
 * @param {any} v what uncertainty_state.js makes
 * @param {boolean} live whether an occluder is offered
 * @param {any} acts
 * @returns {Record<string, any>} the controls under the names of their state
 */
export function uncertaintyStrip(page, header, v, live, acts) {
  const { meta, s, occluder } = v;
  const layers = meta.shape[1];
  const flag = (key, text, title) => toggle(text, title, s[key], (on) => acts.change({ [key]: on }, 0));
  const format = (step) => {
    const at = stageOf(layers, step);
    return at ? `stage ${at[0] + 1} · layer ${at[1] + 1}` : "mean face";
  };
  const steps = { min: 0, max: v.steps(), step: 1, value: v.step(), format };
  const fills = Object.keys(meta.fills).map((name) => [name, name, `fill with ${name}`]);
  const units = [
    ["ocular", "% of eyes", "percent of the distance between the outer eye corners"],
    ["pixel", "px", "pixels of the crop"],
  ];
  const orders = [
    ["sigma", "sorted", "least certain first"],
    ["part", "by part", "in the order of the facial parts"],
  ];
  const parts = {
    ellipses: flag("ellipses", "ellipses", "ellipses at 1, 2 and 3 standard deviations"),
    patches: flag("patches", "patches", "what the network looked at, coloured by what set the size"),
    path: flag("path", "path", "from the mean face to the answer"),
    recalibrated: flag("recalibrated", "recalibrated σ", meta.calibration ? scaleWords(meta.calibration) : ""),
    play: button("▶", "play from the mean face to the landing", acts.play),
    time: slider("", "from the mean face to the landing", steps, acts.goTo, acts.commit),
    cover: toggle("occluder", "cover a part of the face and read it again", Boolean(occluder), acts.cover),
    fill: segmented("", fills, occluder ? occluder.fill : "grey", (fill) =>
      acts.setOccluder({ ...v.occluder, fill }, true),
    ),
    unit: segmented("", units, s.unit, (unit) => acts.change({ unit })),
    sort: segmented("", orders, s.sort, (sort) => acts.change({ sort })),
    unitText: el("span"),
  };
  parts.time.node.classList.add("wb-time");
  parts.play.classList.add("wb-play");
  page.strip.replaceChildren(
    parts.play,
    ...["time", "ellipses", "patches", "path", "recalibrated"].map((key) => parts[key].node),
  );
  parts.recalibrated.node.hidden = !meta.calibration;
  if (live) page.strip.append(spacer(), parts.cover.node, parts.fill.node);
  const chips = meta.face.brackets.map(({ text, colour }) =>
    el("span", {}, el("i", { style: `background: ${colour}` }), text),
  );
  header.replaceChildren(
    parts.sort.node,
    ...(meta.ocular ? [parts.unit.node] : []),
    parts.unitText,
    el("div", { class: "wb-keys" }, ...chips),
  );
  return parts;
}
