/* One bar a landmark, and the key to the patches; `v` is what uncertainty_state.js makes. */

import { between } from "./geometry.js";
import { number, ticks } from "./numbers.js";
import { coveredBy, lookOf, sizeRule } from "./uncertainty_numbers.js";

const FOOT = 20; // the axis
const GUTTER = 12;
const BESIDE = 212; // height of what else stands in the bars' column

/** Beside the face as tall as it leaves room for; below it (`wide`: of the page) as tall as is easy to touch. */
export function barsTall(v, w, wide) {
  const n = v.meta.shape[2];
  const each = w > 0.6 * wide ? 6.4 : between((1.4 * w - BESIDE - FOOT) / n, 3.4, 8);
  return Math.max(240, n * each) + FOOT;
}
export const rowOf = (v, h) => (h - FOOT) / v.meta.shape[2];

/* look: the colours of the page (page.js: theme). */
export function drawBars(ctx, v, look, w, h) {
  const wide = w - GUTTER - 8;
  const x = (value) => GUTTER + (Math.max(0, value) / v.shown.top) * wide;
  ctx.save();
  drawAxis(ctx, v, look, x, w, h);
  drawRows(ctx, v, look, x, rowOf(v, h));
  if (!v.at()) {
    ctx.fillStyle = look.soft;
    ctx.font = `13px ${look.font}`;
    ctx.fillText("The mean face predicts nothing yet: press play.", GUTTER + 8, h / 2);
  } else if (v.focus() != null) drawValue(ctx, v, look, x, w, h);
  ctx.restore();
}

function drawAxis(ctx, v, look, x, w, h) {
  ctx.font = `11px ${look.font}`;
  ctx.textBaseline = "alphabetic";
  for (const value of ticks(0, v.shown.top, Math.max(3, Math.floor(w / 90)))) {
    ctx.fillStyle = look.hair;
    ctx.fillRect(x(value) - 0.5, 0, 1, h - FOOT + 3);
    ctx.fillStyle = look.soft;
    ctx.textAlign = value ? "center" : "left";
    const text = `${number(value)}${value ? "" : v.unit().short}`;
    ctx.fillText(text, Math.min(x(value), w - ctx.measureText(text).width / 2), h - 5);
  }
  ctx.textAlign = "left";
}

/* Up to the uncovered value a bar is paler; what rose beyond it stands out, what fell short of it is an empty ghost. */
function drawRows(ctx, v, look, x, row) {
  const { meta, shown } = v;
  const f = v.focus();
  const [stages, layers] = meta.shape;
  const answer = meta.baseline ? meta.baseline.points[stages - 1][layers - 1] : meta.path[v.steps()];
  const covered = coveredBy(answer, meta.occluder);
  const thick = Math.max(1.5, row * 0.76);
  shown.bars.forEach((value, i) => {
    const y = shown.rank[i] * row;
    const old = shown.ghost[i];
    const alpha = i === f ? 1 : v.others(0.38, 0.62);
    const strip = (from, to, colour, strength) => {
      ctx.globalAlpha = alpha * strength;
      ctx.fillStyle = colour;
      ctx.fillRect(x(from), y + (row - thick) / 2, Math.max(0.5, x(to) - x(from)), thick);
    };
    const colour = meta.face.colour[i];
    strip(0, old == null ? value : Math.min(old, value), colour, old == null ? 1 : 0.55);
    if (value > old) strip(old, value, colour, 1);
    if (value < old) strip(value, old, look.faint, 0.6);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = look.ink;
    if (old != null) ctx.fillRect(x(old) - 0.75, y + row * 0.06, 1.5, row * 0.88);
    if (covered[i] && v.at()) ctx.fillRect(2, y + row * 0.15, 5, row * 0.7);
  });
  ctx.globalAlpha = 1;
}

function drawValue(ctx, v, look, x, w, h) {
  const { meta, shown } = v;
  const f = v.focus();
  const y = (shown.rank[f] + 0.5) * rowOf(v, h);
  const text = `${number(shown.bars[f])}${v.unit().short}  ${meta.face.label[f]} · ${f}`;
  ctx.font = `600 12px ${look.font}`;
  const long = ctx.measureText(text).width + 12;
  const end = x(Math.max(shown.bars[f], shown.ghost[f] ?? 0));
  const left = Math.min(end + 6, w - long - 2);
  const top = between(y - 10, 0, h - FOOT - 20);
  ctx.fillStyle = look.ground;
  ctx.beginPath();
  ctx.roundRect(left, top, long, 20, 4);
  ctx.fill();
  ctx.strokeStyle = look.faint;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.fillStyle = look.ink;
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + 6, top + 10.5);
}

/**
 * What set the sizes of the patches of the stage that is shown: [state, how many, how].
 * @returns {[string, string, string][]}
 */
export function reasons(v) {
  const { states, rule, rects } = v.meta;
  const stage = v.stage();
  const { power, factor, limits } = rule;
  const meaning = {
    floor: `× ${number(limits[0])}`,
    active: `× ${number(factor)} ${power}`,
    ceiling: `× ${number(limits[1])}`,
    first: `${v.px(rects[0][0][2])} px, the same for all`,
    fixed: "half the last side",
  };
  const count = (state) => states[stage].filter((one) => one === state).length;
  const found = stage === 0 ? ["first"] : power ? ["floor", "active", "ceiling"] : ["fixed"];
  return found.map((state) => [state, `${count(state)} ${state}`, meaning[state]]);
}
export const ruleWords = (v) => (v.stage() ? [sizeRule(v.meta.rule)] : []);

/** The height of the key to the patches on a saved sheet: a line, and one more for the rule. */
export const keysTall = (v) => (v.s.patches ? 30 + 22 * ruleWords(v).length : 0);

/** The key to the patches in lines of its own, the first one's middle at y. */
export function drawKeys(ctx, v, look, y) {
  let at = 0;
  ctx.font = "13px system-ui";
  ctx.textBaseline = "middle";
  const write = (text) => {
    ctx.fillStyle = look.ink;
    ctx.fillText(text, at, y);
    at += ctx.measureText(text).width + 18;
  };
  write(`patches of stage ${v.stage() + 1}`);
  for (const [state, many, how] of reasons(v)) {
    const line = lookOf(v.meta.looks, state);
    ctx.fillStyle = "#33363d";
    ctx.fillRect(at, y - 7, 28, 14);
    ctx.strokeStyle = line.colour;
    ctx.lineWidth = line.width;
    ctx.setLineDash(line.dash);
    ctx.beginPath();
    ctx.moveTo(at + 3, y);
    ctx.lineTo(at + 25, y);
    ctx.stroke();
    ctx.setLineDash([]);
    at += 34;
    write(`${many} ${how}`);
  }
  ruleWords(v).forEach((text, k) => {
    ctx.fillText(text, 0, y + 22 * (k + 1));
  });
}

/** Height of what drawHead draws. */
export const HEAD_TALL = 48;

/** The unit of the bars and the parts' colours, which the page has above them. */
export function drawHead(ctx, v, look, w) {
  ctx.font = "13px system-ui";
  ctx.textBaseline = "top";
  ctx.fillStyle = look.ink;
  ctx.fillText(v.unitText(), 0, 0, w);
  let x = 0;
  for (const { text, colour } of v.meta.face.brackets) {
    ctx.fillStyle = colour;
    ctx.fillRect(x, 26, 11, 11);
    ctx.fillStyle = look.soft;
    ctx.fillText(text, x + 16, 24);
    x += 34 + ctx.measureText(text).width;
  }
}
