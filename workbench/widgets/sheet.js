/* The one way in which a widget is saved: as it stands on the page, as PNG, SVG or CSV. A sheet has a title, panels
side by side and the caption below; meta.drawing gives its measures. */

import { csv, wrapWords } from "./numbers.js";
import { button, el, theme } from "./page.js";
import { Recorder } from "./recorder.js";

/**
 * @typedef {{ w: number, h: number, title?: string, draw: (ctx: any, w: number, h: number) => void }} Panel
 * @typedef {{ name: string, title: string, panels: Panel[], caption: string[],
 *   rows?: () => (string | number)[][] }} Sheet name: of the file, without its ending; caption: its paragraphs
 */

const DENSITY = 2; // pixels of the PNG a pixel of the page
const FONT = "system-ui";

/**
 * Where everything lies on a sheet, in its pixels.
 * @param {Sheet} sheet
 * @param {any} drawing
 * @param {(text: string, font: string) => number} measure
 */
export function layout({ title, panels, caption }, drawing, measure) {
  const { margin, gap, line } = drawing;
  const fonts = {
    title: `600 ${drawing.title}px ${FONT}`,
    head: `600 13px ${FONT}`,
    caption: `${drawing.caption}px ${FONT}`,
  };
  const row = panels.reduce((sum, panel) => sum + panel.w, 0) + gap * (panels.length - 1);
  const top = margin + (title ? drawing.title + 14 : 0) + (panels.some((panel) => panel.title) ? 24 : 0);
  const below = top + Math.max(...panels.map((panel) => panel.h)) + 14;
  const lines = caption.flatMap((text) => wrapWords(text, row, (words) => measure(words, fonts.caption)));
  let x = margin;
  const places = panels.map((panel) => {
    const place = { x, y: top };
    x += panel.w + gap;
    return place;
  });
  return { w: row + 2 * margin, h: below + line * lines.length + margin - 4, fonts, places, below, lines };
}

/**
 * @param {any} ctx
 * @param {Sheet} sheet
 * @param {ReturnType<typeof layout>} plan
 * @param {any} drawing
 * @param {{ ground: string, ink: string, soft: string }} look
 */
function drawSheet(ctx, sheet, plan, drawing, look) {
  ctx.fillStyle = look.ground;
  ctx.fillRect(0, 0, plan.w, plan.h);
  const write = (text, x, y, font, colour, most) => {
    ctx.font = font;
    ctx.fillStyle = colour;
    ctx.textBaseline = "top";
    ctx.fillText(text, x, y, most);
  };
  if (sheet.title)
    write(sheet.title, drawing.margin, drawing.margin, plan.fonts.title, look.ink, plan.w - 2 * drawing.margin);
  sheet.panels.forEach(({ w, h, title, draw }, k) => {
    const { x, y } = plan.places[k];
    if (title) write(title, x, y - 22, plan.fonts.head, look.ink, w);
    ctx.save();
    ctx.translate(x, y);
    ctx.beginPath();
    ctx.rect(0, 0, w, h);
    ctx.clip();
    draw(ctx, w, h);
    ctx.restore();
  });
  plan.lines.forEach((text, k) => {
    write(text, drawing.margin, plan.below + k * drawing.line, plan.fonts.caption, look.soft);
  });
}

/**
 * The buttons that save what a widget shows.
 * @param {{ root: Element }} page
 * @param {any} drawing meta.drawing
 * @param {() => Sheet} describe asked when a button is pressed
 */
export function saveButtons(page, drawing, describe) {
  const measure = (text, font) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    return pen.measureText(text).width;
  };
  const drawn = (make) => {
    const sheet = describe();
    const plan = layout(sheet, drawing, measure);
    const [ctx, done] = make(Math.ceil(plan.w), Math.ceil(plan.h));
    drawSheet(ctx, sheet, plan, drawing, theme(page.root));
    done(sheet);
  };
  const png = (w, h) => {
    const canvas = el("canvas", { width: DENSITY * w, height: DENSITY * h });
    const ctx = canvas.getContext("2d");
    ctx.scale(DENSITY, DENSITY);
    return [ctx, ({ name }) => canvas.toBlob((blob) => blob && saveFile(`${name}.png`, blob))];
  };
  const svg = (w, h) => {
    const recorder = new Recorder(w, h);
    return [
      recorder,
      ({ name, title }) =>
        saveFile(`${name}.svg`, new Blob([recorder.toSVG(title || name)], { type: "image/svg+xml" })),
    ];
  };
  const table = () => {
    const { name, rows } = describe();
    saveFile(`${name}.csv`, new Blob([csv(rows())], { type: "text/csv" }));
  };
  return [
    button("PNG", "save the picture", () => drawn(png)),
    button("SVG", "save the picture as a drawing that stays sharp at any size", () => drawn(svg)),
    button("CSV", "save the numbers that are shown", table),
  ];
}

function saveFile(name, blob) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 5000);
}
