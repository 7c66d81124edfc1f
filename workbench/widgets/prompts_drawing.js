/* The face under one point's attention, the plane, and all layers and heads; `v` is what prompts_state.js makes. */

import { drawDots, drawLines, drawPhoto, drawRing, drawTag } from "./draw.js";
import { fitFace } from "./geometry.js";
import { drawGrid, drawMapLegend, gridImage } from "./heatmap.js";

const OTHER = "#56B4E9";
const LATTICE = "#E69F00";

function stroke(ctx, path, colour, width, dash = []) {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.setLineDash(dash);
  ctx.beginPath();
  path.forEach((p, k) => ctx[k ? "lineTo" : "moveTo"](...p));
  ctx.stroke();
  ctx.restore();
}

/* Rows and columns of a lattice; a piece that touches a point far from every anchor is dashed. */
function drawLattice(ctx, view, { side, away }, far, points, colour) {
  const piece = (i, j) => {
    const guess = away[i] > far || away[j] > far;
    stroke(ctx, [view.px(points[i]), view.px(points[j])], colour, guess ? 0.8 : 1.1, guess ? [2, 3] : []);
  };
  for (let r = 0; r < side; r++)
    for (let c = 0; c < side; c++) {
      if (c + 1 < side) piece(r * side + c, r * side + c + 1);
      if (r + 1 < side) piece(r * side + c, (r + 1) * side + c);
    }
}

function drawSquares(ctx, view, points, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.2;
  for (const p of points) {
    const [x, y] = view.px(p);
    ctx.strokeRect(x - 2.5, y - 2.5, 5, 5);
  }
}

/* From the place on the plane over the answers of every layer. */
function drawPath(ctx, view, steps, i, colour, width) {
  const path = steps.map((points) => view.px(points[i]));
  stroke(ctx, path.slice(0, 2), colour, width, [2, 3]);
  stroke(ctx, path.slice(1), colour, width);
  if (width < 1.5) return;
  ctx.fillStyle = colour;
  for (const [x, y] of path.slice(0, -1)) {
    ctx.beginPath();
    ctx.arc(x, y, 2, 0, 7);
    ctx.fill();
  }
}

export function drawFace(ctx, v, w, h) {
  const { s, face, meta } = v;
  const { drawing } = meta;
  const tall = h - drawing.legend;
  const view = fitFace(w, tall);
  const i = v.chosen();
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, 0.12);
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.x0, view.y0, view.side, view.side);
  ctx.clip();
  if (i != null) {
    const [, , rows, columns] = v.layers[s.layer].shape;
    const image = gridImage(v.map(s.layer, s.head), rows, columns, v.span(), v.colours, true);
    drawGrid(ctx, view, image, s.opacity);
  }
  if (meta.lattice) drawLattice(ctx, view, meta.lattice, meta.far, meta.lattice.points, LATTICE);
  drawLines(ctx, view, v.points, face, { alpha: 0.35, width: 1, colour: "#fff" });
  if (s.paths) for (let k = 0; k < face.count; k++) drawPath(ctx, view, meta.path, k, "rgb(255 255 255 / .55)", 0.9);
  drawDots(ctx, view, v.points, face, { radius: (k) => (k === i ? 4.5 : 2.4), rim: "rgb(255 255 255 / .8)" });
  if (meta.beside) drawSquares(ctx, view, meta.beside.points, OTHER);
  if (i != null) {
    drawPath(ctx, view, meta.path, i, "#fff", 1.8);
    const [x, y] = view.px(v.points[i]);
    if (i === s.landmark) drawRing(ctx, x, y, 9, "#fff", 1.5);
    drawTag(ctx, `${face.label[i]} · ${i}`, x, y, w, tall);
  }
  ctx.restore();
  if (i != null) {
    drawMapLegend(ctx, w, h, drawing, v.span(), v.colours, "attention weight of a cell");
    return;
  }
  ctx.fillStyle = drawing.nightMuted;
  ctx.font = "11px system-ui";
  ctx.textBaseline = "middle";
  ctx.fillText("Point at a landmark to see where it looks.", 18, h - drawing.legend / 2);
}

export const planeView = (w, h) => fitFace(w, h, 10);

/* look: the colours of the page (page.js: theme). */
export function drawPlane(ctx, v, look, w, h) {
  const { face, meta } = v;
  const { after, before, away } = meta.plane;
  const view = planeView(w, h);
  const [[x0, y0], [x1, y1]] = [view.px([0, 0]), view.px([1, 1])];
  ctx.strokeStyle = look.hair;
  ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
  if (meta.lattice) drawLattice(ctx, view, meta.lattice, meta.far, meta.lattice.plane, look.faint);
  drawLines(ctx, view, after, face, { alpha: 0.5, width: 1 });
  if (before) {
    before.forEach((p, k) => {
      stroke(ctx, [view.px(p), view.px(after[k])], look.soft, 1);
      drawRing(ctx, ...view.px(p), 2.6, look.soft, 1);
    });
  }
  const i = v.chosen();
  drawDots(ctx, view, after, face, { radius: (k) => (k === i ? 5 : 3), rim: "rgb(0 0 0 / .65)" });
  away.forEach((d, k) => {
    if (d > meta.far) drawRing(ctx, ...view.px(after[k]), 6, look.soft, 1);
  });
  if (meta.beside) drawSquares(ctx, view, meta.beside.after, "#0072B2");
  if (i != null) {
    drawRing(ctx, ...view.px(after[i]), 8.5, look.ink, 1.5);
    drawTag(ctx, `${face.label[i]} · ${i}`, ...view.px(after[i]), w, h, look.font);
  }
}

const LEFT = 52;
const TOP = 18;
const GAP = 3;

/** Where the thumbnails lie: one row a layer, the mean and every head beside each other. */
export function thumbsLayout(v, w) {
  const columns = v.heads() + 1;
  const side = Math.max(12, (w - LEFT - GAP * (columns - 1)) / columns);
  return {
    side,
    tall: TOP + v.layers.length * (side + GAP),
    place: (layer, column) => [LEFT + column * (side + GAP), TOP + layer * (side + GAP)],
    /** @param {number[]} place in pixels of the canvas */
    at([x, y]) {
      const column = Math.floor((x - LEFT) / (side + GAP));
      const layer = Math.floor((y - TOP) / (side + GAP));
      const there = column >= 0 && column < columns && layer >= 0 && layer < v.layers.length && y >= TOP;
      return there ? { layer, head: column ? column - 1 : null } : null;
    },
  };
}

export function drawThumbs(ctx, v, look, w) {
  const plan = thumbsLayout(v, w);
  const { side } = plan;
  ctx.font = `11px ${look.font}`;
  ctx.fillStyle = look.soft;
  ctx.textBaseline = "top";
  ctx.textAlign = "center";
  for (let c = 0; c <= v.heads(); c++)
    ctx.fillText(c ? (side > 30 ? `head ${c}` : `${c}`) : "mean", plan.place(0, c)[0] + side / 2, 2, side);
  const i = v.chosen();
  v.layers.forEach((layer, l) => {
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillStyle = look.soft;
    ctx.fillText(`layer ${l + 1}`, 0, plan.place(l, 0)[1] + side / 2);
    for (let c = 0; c <= v.heads(); c++) {
      const [x, y] = plan.place(l, c);
      const head = c ? c - 1 : null;
      ctx.fillStyle = look.hair;
      ctx.fillRect(x, y, side, side);
      if (i != null) {
        const [, , rows, columns] = layer.shape;
        const span = v.span(l, head);
        ctx.imageSmoothingEnabled = false;
        ctx.drawImage(gridImage(v.map(l, head), rows, columns, span, v.colours), x, y, side, side);
      }
      if (l === v.s.layer && head === v.s.head) {
        ctx.strokeStyle = look.ink;
        ctx.lineWidth = 2;
        ctx.strokeRect(x - 1, y - 1, side + 2, side + 2);
      }
    }
  });
}
