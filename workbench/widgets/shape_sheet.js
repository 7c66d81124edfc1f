/* What is saved of the Shape editor: its panels as a picture, and its points as rows. */

import { drawFound, drawPlane } from "./shape_drawing.js";
import { pointLook } from "./shape_edits.js";

/**
 * @param {any} v what is shown
 * @param {any} look the colours of the page
 * @param {any} faces shape_faces.js: gallery
 * @param {string} caption
 */
export function sheet(v, look, faces, caption) {
  const { drawing, stem = "shape" } = v.meta;
  const panel = (title, draw) => ({
    w: drawing.face,
    h: drawing.face,
    title,
    draw: (ctx, w, h) => draw(ctx, v, look, w, h),
  });
  const moves = (k) => (v.found.spread ? (100 * v.found.spread[k]).toFixed(3) : "");
  const found = new Map(v.found?.ids.map((id, k) => [id, [...v.found.photo[k], moves(k)]]));
  return {
    name: stem,
    title: v.drawing.name,
    caption: [caption],
    panels: [
      panel("On the plane", drawPlane),
      panel("On the photograph", drawFound),
      ...(v.meta.faces.length
        ? [{ w: 2 * drawing.face, h: faces.height(2 * drawing.face), title: "On further faces", draw: faces.draw }]
        : []),
    ],
    rows: () => [
      ["point", "name", "plane_x", "plane_y", "photo_x_px", "photo_y_px", "spread_percent"],
      ...v.drawing.points.map((p, i) => [
        i,
        pointLook(v.drawing, i, v.meta).label,
        ...p.map((x) => x.toFixed(5)),
        ...(found.get(v.drawing.ids[i]) ?? ["", "", ""]),
      ]),
    ],
  };
}
