/* Boxes, crops and what is in view of a photograph; pure. Rectangles are [x0, y0, x1, y1] in photo pixels. */

import { between } from "./geometry.js";
import { insideRect, moveRect } from "./rect.js";

/**
 * The square that is cropped for a box: factor times its longer side, the same centre.
 * @type {(box: number[], factor: number) => number[]}
 */
export function cropOf([x0, y0, x1, y1], factor) {
  const half = (factor * Math.max(x1 - x0, y1 - y0)) / 2;
  const cx = (x0 + x1) / 2;
  const cy = (y0 + y1) / 2;
  return [cx - half, cy - half, cx + half, cy + half];
}

/* The square box whose crop is the given square, to a tenth of a pixel. */
export const boxOf = (crop, factor) => cropOf(crop, 1 / factor).map((v) => Math.round(v * 10) / 10);

/**
 * Shifted so that its centre lies in the photograph.
 * @type {(rect: number[], size: number[]) => number[]}
 */
export function keepCentre(rect, [w, h]) {
  const cx = (rect[0] + rect[2]) / 2;
  const cy = (rect[1] + rect[3]) / 2;
  return moveRect(rect, between(cx, 0, w - 1) - cx, between(cy, 0, h - 1) - cy);
}

/* What is in view: the photograph and, up to a quarter beyond it, the crop with its handles; near, what surrounds the
crop alone. */
export function regionOf([w, h], crop, near = false) {
  const all = [-0.5, -0.5, w - 0.5, h - 0.5];
  const reach = 0.25 * Math.max(w, h);
  if (!crop) return all;
  const wide = (by) => [crop[0] - by, crop[1] - by, crop[2] + by, crop[3] + by];
  const side = crop[2] - crop[0];
  const must = wide(near ? side / 10 : reach / 8);
  const may = near ? wide(side * 0.7) : all;
  const lo = (k) => Math.min(near ? Math.max(may[k], all[k]) : all[k], Math.max(must[k], -reach));
  const hi = (k) => Math.max(near ? Math.min(may[k], all[k]) : all[k], Math.min(must[k], all[k] + reach));
  return [lo(0), lo(1), hi(2), hi(3)];
}

/* Whether a near view can stay as it is, so that the picture does not slip away under a crop that moved a little. */
export function stillFits(region, crop, near) {
  if (!near || !region || !crop) return false;
  const share = (crop[2] - crop[0]) / Math.max(region[2] - region[0], region[3] - region[1]);
  const by = (crop[2] - crop[0]) / 20;
  return (
    share > 0.25 &&
    share < 0.7 &&
    insideRect(region, [crop[0] - by, crop[1] - by]) &&
    insideRect(region, [crop[2] + by, crop[3] + by])
  );
}

/**
 * The region in a canvas of w x h: photo pixels (centres at integers) to canvas pixels and back.
 * @param {number} w
 * @param {number} h
 * @param {number[]} region
 * @returns {import("./geometry.js").View & { scale: number }}
 */
export function fitPhoto(w, h, region) {
  const scale = Math.min(w / (region[2] - region[0]), h / (region[3] - region[1]));
  const x0 = (w - scale * (region[2] - region[0])) / 2 - scale * region[0];
  const y0 = (h - scale * (region[3] - region[1])) / 2 - scale * region[1];
  return {
    scale,
    side: scale,
    x0,
    y0,
    px: ([x, y]) => [x0 + scale * x, y0 + scale * y],
    unit: ([x, y]) => [(x - x0) / scale, (y - y0) / scale],
  };
}

/** The facts of the caption; `zoom` is how many pixels are worked on, a pixel of the photograph that was given. */
export function pickerFacts({ meta, chosen, crop }, zoom) {
  const { photo, original, factor, points } = meta;
  return {
    photo: original.join(" × "),
    worked: zoom < 1 ? photo.join(" × ") : null,
    factor,
    side: crop ? String(Math.round((crop[2] - crop[0]) / zoom)) : null,
    by_hand: chosen == null && Boolean(crop),
    landmarks: points ? points.length : null,
  };
}
