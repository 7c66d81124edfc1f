/* The patches of the pinned landmark as the network reads them, a stage each: where the answer lies in the patch, its
spread and its density along both axes (thesis Fig. 5.4) and, of a labelled face, where the label lies (Fig. 5.8). */

import { drawOccluder } from "./cover.js";
import { drawTruth } from "./draw.js";
import { number } from "./numbers.js";
import { el } from "./page.js";
import { surface } from "./surface.js";
import { lookOf, spread } from "./uncertainty_numbers.js";

const GAP = 12;
const CURVE = 24; // height of the densities' strips
const TITLE = 18;
const WORDS = 16;
const WIDEST = 190;

/** How tall the row is at a width. */
export const patchesTall = (v, w) => TITLE + cellOf(v, w) + WORDS + 4;
const cellOf = (v, w) => Math.min(WIDEST, (w - GAP * (v.meta.shape[0] - 1)) / v.meta.shape[0]);

/** A place of the crop in parts of a patch [x, y, width, height]. */
export const inPatch = ([x, y, w, h], place) => [(place[0] - x) / w, (place[1] - y) / h];

/** Density at x over that at the mean, of a law with this deviation. */
export const densityOver = (law, x, mean, deviation) => {
  const z = Math.abs(x - mean) / deviation;
  return law === "laplace" ? Math.exp(-Math.SQRT2 * z) : Math.exp((-z * z) / 2);
};

/**
 * Takes places of the crop to pixels of a picture of the patch.
 * @returns {any} what of a View (geometry.js) is needed here
 */
function viewOf(rect, left, top, side) {
  const px = (place) => {
    const [u, t] = inPatch(rect, place);
    return [left + u * side, top + t * side];
  };
  return { px, side };
}

export function drawPatchRow(ctx, v, look, w) {
  const i = v.s.landmark;
  const [stages] = v.meta.shape;
  const cell = cellOf(v, w);
  for (let k = 0; k < stages; k++) drawOne(ctx, v, look, k, i, k * (cell + GAP), cell);
}

function drawOne(ctx, v, look, stage, i, left, cell) {
  const { meta } = v;
  const rect = meta.rects[stage][i];
  const side = cell - CURVE;
  const top = TITLE + CURVE;
  const view = viewOf(rect, left, top, side);
  const last = meta.shape[1] - 1;
  const mean = meta.path[(stage + 1) * meta.shape[1]][i];
  const sigma = v.sigmaAt(stage, last)[i];
  const colour = meta.face.colour[i];
  ctx.save();
  ctx.font = `600 11px ${look.font}`;
  ctx.fillStyle = look.ink;
  ctx.textBaseline = "top";
  ctx.fillText(`stage ${stage + 1}`, left, 0);
  ctx.font = `11px ${look.font}`;
  ctx.fillStyle = look.soft;
  ctx.textAlign = "right";
  ctx.fillText(`${v.px(rect[2])} px`, left + side, 0);
  ctx.textAlign = "left";
  const truth = meta.truth?.[i];
  const at = inPatch(rect, truth ?? mean).map((t) => t.toFixed(2));
  const off = truth && Math.hypot((truth[0] - mean[0]) / sigma[0], (truth[1] - mean[1]) / sigma[1]);
  ctx.textBaseline = "alphabetic";
  ctx.fillText(
    truth ? `label ${at.join(", ")}, ${off.toFixed(1)} σ off` : `answer ${at.join(", ")}`,
    left,
    top + side + WORDS - 3,
    cell,
  );
  drawDensities(ctx, v, rect, mean, sigma, left, top, side, colour);
  ctx.beginPath();
  ctx.rect(left, top, side, side);
  ctx.clip();
  ctx.fillStyle = "#101114";
  ctx.fillRect(left, top, side, side);
  const [x0, y0] = view.px([0, 0]);
  const [x1, y1] = view.px([1, 1]);
  if (v.photo) ctx.drawImage(v.photo, x0, y0, x1 - x0, y1 - y0);
  drawOccluder(ctx, v, view);
  const [x, y] = view.px(mean);
  for (const [times, width] of [
    [3, 1.2],
    [1, 1.8],
  ]) {
    ctx.beginPath();
    ctx.ellipse(x, y, (times * sigma[0] * side) / rect[2], (times * sigma[1] * side) / rect[3], 0, 0, 7);
    ctx.strokeStyle = "rgb(255 255 255 / .7)";
    ctx.lineWidth = width + 1.4;
    ctx.stroke();
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke();
  }
  if (truth) drawTruth(ctx, view, { truth: [truth], drawing: meta.drawing }, [mean]);
  ctx.beginPath();
  ctx.arc(x, y, 3, 0, 7);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.2;
  ctx.stroke();
  ctx.restore();
  const frame = lookOf(meta.looks, meta.states[stage][i]);
  ctx.save();
  ctx.strokeStyle = frame.colour;
  ctx.lineWidth = frame.width;
  ctx.setLineDash(frame.dash);
  ctx.strokeRect(left, top, side, side);
  ctx.restore();
}

/* Above the patch along x, right of it along y; each as high as its strip where it is highest. */
function drawDensities(ctx, v, rect, mean, sigma, left, top, side, colour) {
  const steps = 48;
  const tall = CURVE - 4;
  for (const axis of [0, 1]) {
    const curve = [];
    for (let k = 0; k <= steps; k++) {
      const t = k / steps;
      const place = rect[axis] + t * rect[2 + axis];
      const p = tall * densityOver(v.meta.likelihood, place, mean[axis], sigma[axis]);
      curve.push(axis ? [left + side + 3 + p, top + t * side] : [left + t * side, top - 3 - p]);
    }
    ctx.beginPath();
    for (const [x, y] of curve) ctx.lineTo(x, y);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5;
    ctx.stroke();
    ctx.lineTo(...(axis ? [left + side + 3, top + side] : [left + side, top - 3]));
    ctx.lineTo(...(axis ? [left + side + 3, top] : [left, top - 3]));
    ctx.closePath();
    ctx.globalAlpha = 0.18;
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.globalAlpha = 1;
  }
}

/* The row of pictures in `parent`, there while a landmark is pinned; `look` gives the page's colours. */
export function patchRow(parent, v, look) {
  const row = el("div", { class: "wb-patches", hidden: true });
  parent.append(row);
  const drawn = surface(row, {
    label: "The patches of the pinned landmark.",
    ratio: (w) => patchesTall(v, w),
    draw: (ctx, w) => {
      if (v.s.landmark != null) drawPatchRow(ctx, v, look(), w);
    },
  });
  drawn.canvas.setAttribute("role", "img"); // it answers to nothing
  drawn.canvas.removeAttribute("tabindex");
  return {
    paint: drawn.paint,
    close: drawn.close,
    sync() {
      row.hidden = v.s.landmark == null;
      if (!row.hidden) drawn.canvas.setAttribute("aria-label", patchWords(v));
    },
  };
}

/** What a screen reader hears of the row. */
export function patchWords(v) {
  const i = v.s.landmark;
  const [stages, layers] = v.meta.shape;
  const told = [...Array(stages).keys()].map((k) => {
    const rect = v.meta.rects[k][i];
    const sigma = spread(v.sigmaAt(k, layers - 1)[i].map((s, axis) => s / rect[2 + axis]));
    return `stage ${k + 1}: patch of ${v.px(rect[2])} pixels, sigma ${number(sigma)} of its side`;
  });
  return `The patches of ${v.meta.face.label[i]}. ${told.join("; ")}.`;
}
