/* Tables and keys beside and below the face; `v` is what uncertainty_state.js makes. */

import { number } from "./numbers.js";
import { el } from "./page.js";
import { reasons, ruleWords } from "./uncertainty_bars.js";
import { coveredBy, effectOf, lookOf } from "./uncertainty_numbers.js";

const SVG = "http://www.w3.org/2000/svg";

/** A short line as a patch's border is drawn. */
function sampleLine({ colour, dash, width }) {
  const make = (tag, attributes) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    return node;
  };
  const look = { d: "M3 6H25", stroke: colour, "stroke-width": width + 0.3, "stroke-dasharray": dash.join(" ") };
  const svg = make("svg", { width: 28, height: 12, "aria-hidden": "true" });
  svg.append(make("path", look));
  return svg;
}

const cells = (tag, values, attributes = {}) => el("tr", {}, ...values.map((value) => el(tag, attributes, value)));
const head = (...titles) => el("thead", {}, cells("th", titles, { scope: "col" }));

/** The key to the patches, or nothing where none are drawn. */
export function keyNodes(v) {
  if (!v.s.patches) return [];
  return [
    el("span", {}, `patches of stage ${v.stage() + 1}`),
    ...reasons(v).map(([state, many, how]) =>
      el("span", {}, sampleLine(lookOf(v.meta.looks, state)), el("b", {}, many), how),
    ),
    ...ruleWords(v).map((text) => el("span", {}, text)),
  ];
}

/** The numbers of the landmark in focus, stage by stage. */
export function detailNodes(v) {
  const f = v.focus();
  if (f == null) return [el("span", {}, "Point at a landmark or a bar for its numbers; a click keeps them.")];
  const { meta, px } = v;
  const [stages, layers] = meta.shape;
  const layer = layers > 1 ? "last layer of each stage, " : "";
  const title = el(
    "small",
    {},
    `${meta.face.side[f]}, ${layer}in px of the ${meta.size} px crop${v.recalibrated() ? ", σ recalibrated" : ""}`,
  );
  const { power, factor } = meta.rule;
  const setBy = `set by${power ? ` (${number(factor)}\u00a0${power.replace(" ", "\u00a0")})` : ""}`;
  const table = el(
    "table",
    { class: "wb-table" },
    el("caption", {}, `${meta.face.label[f]} · ${f} `, title),
    head("stage", "patch", setBy, "v x · y", "σ x · y", "path"),
    el("tbody", {}, ...Array.from({ length: stages }, (_, stage) => stageRow(v, stage, f))),
  );
  const old = meta.baseline;
  if (!old) return [table];
  const [uncovered, from] = [old.sigma, old.points].map((all) => all[stages - 1][layers - 1][f]);
  const before = uncovered.map((sigma) => v.scale(stages - 1) * sigma);
  const [x, y] = meta.path[v.steps()][f];
  const moved = px(Math.hypot(x - from[0], y - from[1]));
  return [table, el("div", {}, `uncovered σ of the answer ${before.map(px).join(" · ")} px; it moved by ${moved} px`)];
}

function stageRow({ meta, px, sigmaAt }, stage, f) {
  const layers = meta.shape[1];
  const state = meta.states[stage][f];
  const wanted = meta.wanted[stage]?.[f];
  const steps = meta.path.slice(stage * layers, (stage + 1) * layers + 1).map((points) => points[f]);
  const walked = steps.slice(1).reduce((sum, [x, y], k) => sum + Math.hypot(x - steps[k][0], y - steps[k][1]), 0);
  const free = state === "first" || state === "fixed" || wanted == null;
  return cells("td", [
    `${stage + 1}`,
    px(meta.rects[stage][f][2]),
    el("span", {}, sampleLine(lookOf(meta.looks, state)), free ? state : `${state} (${number(wanted)})`),
    meta.variance[stage][layers - 1][f].map(number).join(" · "),
    el(
      "b",
      {},
      sigmaAt(stage, layers - 1)
        [f].map(px)
        .join(" · "),
    ),
    px(walked),
  ]);
}

/** What the occluder does to the mean spread of the landmarks under it and beside it. */
export function effectNodes(v) {
  const old = v.before();
  if (!old) return v.occluder && v.asked() ? ["reading the covered face…"] : [];
  const [stages, layers] = v.meta.shape;
  const under = coveredBy(v.meta.baseline.points[stages - 1][layers - 1], v.meta.occluder);
  const { covered, free } = effectOf(v.spreads(), old, under);
  const value = (x) => `${number(x)}${v.unit().short}`;
  const row = (name, part) => {
    if (!part) return cells("td", [`none ${name}`, "", "", ""]);
    const { count, before, now, ratio } = part;
    return cells("td", [`${count} ${name}`, value(before), value(now), el("b", {}, `× ${number(ratio)}`)]);
  };
  const waiting = v.asked() ? "reading…" : "with occluder";
  return [
    el(
      "table",
      { class: "wb-table" },
      head("mean σ of landmarks", "uncovered face", waiting, "ratio"),
      el("tbody", {}, row("under the occluder", covered), row("beside it", free)),
    ),
  ];
}
