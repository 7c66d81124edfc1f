/* A face under an attribution, and the bars of its parts; `v` is what attribution_state.js makes. */

import { drawDots, drawLines, drawPhoto, drawRing, drawTag, drawTruth } from "./draw.js";
import { fitFace } from "./geometry.js";
import { drawCell, drawGrid, drawMapLegend, gridImage, markAt } from "./heatmap.js";
import { number } from "./numbers.js";

/* As ROW, TOP, BAR and AFTER in figures/attribution.py. */
const ROW = 46;
const TOP = 44;
const BAR = 13;
const AFTER = 66;
export const partsTall = (count) => TOP + ROW * count;

const pictures = new WeakMap();
function pictureOf(v, now) {
  if (!pictures.has(now)) pictures.set(now, gridImage(now.map, now.h, now.w, now.span, v.colours, true));
  return pictures.get(now);
}

export function drawFace(ctx, v, w, h) {
  const { s, face } = v;
  const { drawing } = v.meta;
  const tall = h - drawing.legend;
  const view = fitFace(w, tall);
  const now = v.now();
  const f = v.hover ?? s.landmark;
  ctx.fillStyle = drawing.night;
  ctx.fillRect(0, 0, w, h);
  drawPhoto(ctx, view, v.image, now ? 0.1 : 0);
  ctx.save();
  ctx.beginPath();
  ctx.rect(view.x0, view.y0, view.side, view.side);
  ctx.clip();
  if (now) drawGrid(ctx, view, pictureOf(v, now), s.opacity);
  if (s.points) {
    const lineLook = now ? { alpha: 0.35, width: 1, colour: "#fff" } : { alpha: 0.6, width: 1 };
    drawLines(ctx, view, v.points, face, lineLook);
    drawDots(ctx, view, v.points, face, { radius: (i) => (i === f ? 4.5 : 2.4), rim: "rgb(255 255 255 / .8)" });
    drawTruth(ctx, view, v.meta, v.points);
  }
  if (now && v.cell && !v.maps.byPart) drawCell(ctx, view, v.cell, now.h, now.w);
  if (s.landmark != null) {
    const [x, y] = view.px(v.points[s.landmark]);
    drawRing(ctx, x, y, 7, "#fff", 2);
    drawRing(ctx, x, y, 11, "#fff", 1.2);
  }
  if (f != null) {
    const [x, y] = view.px(v.points[f]);
    drawTag(ctx, v.name(f), x, y, w, tall);
  }
  ctx.restore();
  if (now) {
    const value = v.cell ? now.map[v.cell[0] * now.w + v.cell[1]] : null;
    drawMapLegend(ctx, w, h, drawing, now.span, v.colours, v.maps.legend, markAt(value, now.span));
    return;
  }
  ctx.fillStyle = drawing.nightMuted;
  ctx.font = "11px system-ui";
  ctx.textBaseline = "middle";
  const words = s.landmark == null ? "Choose a landmark: point at one and click." : `${v.name(s.landmark)} is chosen.`;
  ctx.fillText(words, 18, h - drawing.legend / 2);
}

/* look: the colours of the page (page.js: theme). */
export function drawParts(ctx, v, look, w) {
  const now = v.now();
  if (!now) return;
  const { names, colours, title } = v.maps;
  const write = (text, x, y, font, colour, most) => {
    ctx.font = font;
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y, most);
  };
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  write(title, 0, 0, `600 13px ${look.font}`, look.ink, w);
  write("of each part of the crop", 0, 18, `11px ${look.font}`, look.soft, w);
  const low = Math.min(0, ...now.parts);
  const high = Math.max(0, ...now.parts);
  const long = w - AFTER;
  const scale = long / (high - low || 1);
  const zero = -low * scale;
  names.forEach((name, k) => {
    const value = now.parts[k];
    const y = TOP + ROW * k;
    ctx.textBaseline = "top";
    write(name, 0, y, `12px ${look.font}`, look.ink, long);
    ctx.fillStyle = look.hair;
    ctx.fillRect(0, y + 17, long, BAR);
    ctx.fillStyle = colours[k];
    const wide = Math.abs(value) * scale;
    ctx.fillRect(value >= 0 ? zero : zero - wide, y + 17, wide, BAR);
    ctx.fillStyle = look.soft;
    ctx.fillRect(zero - 0.5, y + 14, 1, BAR + 6);
    ctx.textBaseline = "middle";
    write(number(value), long + 8, y + 17 + BAR / 2, `12px ${look.font}`, look.ink, AFTER - 8);
  });
}
