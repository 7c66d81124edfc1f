/* Faces on a frame of a film, and the timeline: how each face was found, and confidence, angles and jitter of one. */

import { drawDots, drawLines } from "./draw.js";
import { number, ticks } from "./numbers.js";
import { drawAxes } from "./pose_charts.js";

const LEFT = 52;
const ROW = 16;
const TALL = { confidence: 56, angles: 84, jitter: 46 };
const HEAD = 24;
const LONG = 0.55 / 0.27; // of the axes, in parts of the face's longer side (drawAxes takes 0.27 of a view's)

/** Height of the timeline for so many faces. */
export const timelineTall = (faces) =>
  20 + faces * (ROW + 3) + Object.values(TALL).reduce((sum, tall) => sum + tall + HEAD, 0) + 24;

/** The middle of a frame's column, and the frame at a place. */
export const columnAt = (k, count, w) => LEFT + ((k + 0.5) * (w - LEFT - 6)) / count;
export function frameAt(x, count, w) {
  const k = Math.floor(((x - LEFT) * count) / (w - LEFT - 6));
  return k < 0 || k >= count ? null : k;
}

/**
 * A frame in w pixels: its picture, and what was found in it.
 * @param {any} ctx
 * @param {any} v
 * @param {ImageBitmap | null} image
 */
export function drawFrame(ctx, v, image, w, h) {
  const { meta, s } = v;
  const k = v.frame();
  const scale = w / meta.size[0];
  ctx.fillStyle = "#101114";
  ctx.fillRect(0, 0, w, h);
  if (image) ctx.drawImage(image, 0, 0, w, h);
  meta.faces.forEach((one, face) => {
    const region = one.regions[k];
    if (!region) return;
    const [x0, y0, x1, y1] = region.map((x) => x * scale);
    ctx.strokeStyle = meta.states[one.states[k]];
    ctx.lineWidth = face === s.face ? 2.5 : 1.5;
    ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
    if (meta.faces.length > 1) {
      ctx.font = "600 12px system-ui";
      ctx.fillStyle = "rgb(16 17 20 / .8)";
      ctx.fillRect(x0, y0, 18, 18);
      ctx.fillStyle = "#fff";
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(String(face + 1), x0 + 9, y0 + 9.5);
      ctx.textAlign = "left";
    }
    const points = v.points(face, k);
    if (!points) return;
    const view = { x0: 0, y0: 0, side: 0, px: (p) => p.map((x) => x * scale), unit: (p) => p.map((x) => x / scale) };
    if (s.points) {
      drawLines(ctx, view, points, meta.face, { alpha: 0.55, width: 1, colour: "#fff" });
      drawDots(ctx, view, points, meta.face, { radius: 1.9, rim: "rgb(0 0 0 / .5)" });
    }
    const axes = v.axes(face, k);
    if (!s.axes || !axes) return;
    const mean = (list, axis) => list.reduce((sum, p) => sum + p[axis], 0) / list.length;
    const nose = meta.nose.map((i) => points[i]);
    const span = (axis) => Math.max(...points.map((p) => p[axis])) - Math.min(...points.map((p) => p[axis]));
    const side = LONG * Math.max(span(0), span(1)) * scale;
    drawAxes(ctx, { axes, origin: [mean(nose, 0), mean(nose, 1)] }, { ...view, side }, 0.7);
  });
}

/** Values over the frames as a curve with gaps where there is none. */
function curve(ctx, values, x, y, colour) {
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 1.6;
  ctx.lineJoin = "round";
  ctx.beginPath();
  let open = false;
  values.forEach((value, k) => {
    if (value == null) {
      open = false;
      return;
    }
    if (open) ctx.lineTo(x(k), y(value));
    else ctx.moveTo(x(k), y(value));
    const alone = !open && (k + 1 >= values.length || values[k + 1] == null);
    if (alone) ctx.fillRect(x(k) - 1, y(value) - 1, 2, 2);
    open = true;
  });
  ctx.stroke();
}

/** The timeline of all faces, with the numbers of the chosen one. */
export function drawTimeline(ctx, v, look, w) {
  const { meta, s } = v;
  const x = (k) => columnAt(k, v.count, w);
  const step = (w - LEFT - 6) / v.count;
  const label = (text, px, py, colour, align = "left", weight = 400) => {
    ctx.font = `${weight} 11px ${look.font}`;
    ctx.fillStyle = colour;
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    ctx.fillText(text, px, py);
    ctx.textAlign = "left";
  };
  let at = LEFT;
  for (const [state, colour] of Object.entries(meta.states)) {
    ctx.fillStyle = colour;
    ctx.fillRect(at, 2, 10, 10);
    label(state, at + 14, 7.5, look.soft);
    at += 76;
  }
  label("▾ the detector ran", at, 7.5, look.soft);
  let y = 20;
  meta.faces.forEach((one, face) => {
    label(
      meta.faces.length > 1 ? `face ${face + 1}` : "state",
      LEFT - 8,
      y + ROW / 2,
      look.ink,
      "right",
      face === s.face ? 650 : 400,
    );
    one.states.forEach((state, k) => {
      if (!(state in meta.states)) return;
      ctx.globalAlpha = face === s.face ? 1 : 0.55;
      ctx.fillStyle = meta.states[state];
      ctx.fillRect(LEFT + k * step, y, step + 0.3, ROW);
      ctx.globalAlpha = 1;
      if (meta.searched[k] && state !== "tracked") label("▾", x(k), y + ROW / 2, "#101418", "center");
    });
    y += ROW + 3;
  });
  const one = meta.faces[s.face];
  const angles = one.angles.flat().filter((a) => a != null);
  const most = Math.max(30, 10 * Math.ceil(Math.max(0, ...angles.map(Math.abs)) / 10));
  const top = 1.1 * Math.max(0, ...one.jitter.filter((j) => j != null)) || 1;
  const parts = [
    { key: "confidence", low: 0, high: 1, mark: meta.threshold, lines: [["confidence", one.confidence, look.ink]] },
    {
      key: "angles",
      low: -most,
      high: most,
      mark: 0,
      lines: meta.names.map((name, k) => [`${name}, °`, one.angles[k], meta.angleColours[k]]),
    },
    { key: "jitter", low: 0, high: top, mark: null, lines: [["jitter, % of the face", one.jitter, "#56B4E9"]] },
  ];
  for (const { key, low, high, mark, lines } of parts) {
    y += HEAD;
    const tall = TALL[key];
    const base = y;
    const to = (value) => base + tall - ((value - low) / (high - low)) * tall;
    for (const tick of ticks(low, high, key === "angles" ? 4 : 2)) {
      ctx.fillStyle = look.hair;
      ctx.fillRect(LEFT, to(tick) - 0.5, w - LEFT - 6, 1);
      label(number(tick), LEFT - 8, to(tick), look.soft, "right");
    }
    if (mark != null) {
      ctx.strokeStyle = look.soft;
      ctx.lineWidth = 1;
      ctx.setLineDash([4, 3]);
      ctx.beginPath();
      ctx.moveTo(LEFT, to(mark));
      ctx.lineTo(w - 6, to(mark));
      ctx.stroke();
      ctx.setLineDash([]);
    }
    let name = LEFT;
    for (const [text, values, colour] of lines) {
      ctx.fillStyle = colour;
      ctx.fillRect(name, base - 11, 12, 3);
      label(text, name + 16, base - 9.5, look.ink);
      name += 34 + ctx.measureText(text).width;
      curve(ctx, values, x, to, colour);
    }
    y += tall;
  }
  for (const tick of ticks(0, Math.max(1, v.count - 1), 8)) label(number(tick), x(tick), y + 14, look.soft, "center");
  label("frame", LEFT - 8, y + 14, look.soft, "right");
  ctx.fillStyle = look.ink;
  ctx.fillRect(x(v.frame()) - 0.75, 16, 1.5, y - 14);
}
