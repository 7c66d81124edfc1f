/* The Shape editor's drawing tools: what a stroke in hand would add, and how it looks. */

import { gap } from "./shape_edits.js";
import { ellipse, lattice, resample } from "./shape_tools.js";

export const CLOSES = 0.03; // of the plane: a stroke that ends so near its start is closed

/** name, text, title; those after the first two draw. */
export const TOOLS = [
  ["select", "select", "choose, drag and turn points (V); a rectangle chooses many, Shift adds to them"],
  ["add", "point", "every click adds a point (P)"],
  ["freehand", "freehand", "a stroke, resampled to the number beside at equal distances (F)"],
  ["polyline", "polyline", "clicked corners joined by a line; a double click or Enter ends it (L)"],
  ["curve", "curve", "clicked places joined by a smooth closed curve; a double click or Enter ends it (C)"],
  ["line", "line", "a straight line of points (I)"],
  ["ellipse", "ellipse", "an ellipse of points (E)"],
  ["lattice", "grid", "a rectangle filled with points (G)"],
];
export const TOOL_KEYS = {
  v: "select",
  p: "add",
  f: "freehand",
  l: "polyline",
  c: "curve",
  i: "line",
  e: "ellipse",
  g: "lattice",
};
export const BOXED = { line: 1, ellipse: 1, lattice: 1 };
export const CLICKED = { polyline: 1, curve: 1 };

/* The points that the stroke in hand would add, and how they are joined. */
export function strokePoints(v) {
  const { tool, stroke, count } = v;
  if (!stroke?.length) return null;
  const [first, last] = [stroke[0], stroke.at(-1)];
  if (tool === "freehand") {
    const long = stroke.length > 8;
    const closed = long && gap(first, last) < CLOSES;
    return { places: resample(stroke, count, closed), group: { name: "stroke", closed } };
  }
  if (tool === "polyline") return { places: stroke, group: { name: "line", closed: v.closing } };
  if (tool === "curve") {
    const fine = stroke.length < 3 ? stroke : smooth(stroke);
    return { places: resample(fine, count, stroke.length > 2), group: { name: "curve", closed: stroke.length > 2 } };
  }
  if (tool === "line") return { places: resample([first, last], count), group: { name: "line", closed: false } };
  if (tool === "ellipse") return { places: ellipse(first, last, count), group: { name: "ellipse", closed: true } };
  if (tool === "lattice") return { places: lattice(first, last, count), group: null };
  return { places: [last], group: null };
}

/* A closed curve through places (Catmull-Rom), twelve steps a piece. */
export function smooth(places) {
  const n = places.length;
  return places.flatMap((_, k) => {
    const [a, b, c, d] = [-1, 0, 1, 2].map((by) => places[(k + by + n) % n]);
    return Array.from({ length: 12 }, (_, step) => {
      const t = step / 12;
      return [0, 1].map(
        (i) =>
          0.5 *
          (2 * b[i] +
            (c[i] - a[i]) * t +
            (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i]) * t * t +
            (3 * b[i] - a[i] - 3 * c[i] + d[i]) * t * t * t),
      );
    });
  });
}

/* The stroke in hand with the points that it would leave. */
export function strokeLook(ctx, v, view, look) {
  if (!v.stroke?.length) return;
  const seen = CLICKED[v.tool] && v.pointer ? { ...v, stroke: [...v.stroke, v.pointer] } : v;
  const made = strokePoints(seen);
  ctx.save();
  ctx.strokeStyle = look.ink;
  ctx.fillStyle = look.ink;
  ctx.globalAlpha = 0.75;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  const line = made.group ? [...made.places, ...(made.group.closed ? [made.places[0]] : [])] : [];
  for (const p of line) ctx.lineTo(...view.px(p));
  ctx.stroke();
  ctx.setLineDash([]);
  for (const p of made.places) {
    ctx.beginPath();
    ctx.arc(...view.px(p), 2.2, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}
