/* save.js: files that a person takes away. */

import { wrapWords } from "./numbers.js";
import { el, theme } from "./page.js";

export function saveFile(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 5000);
}

export const saveCanvas = (name, canvas) =>
  canvas.toBlob((blob) => blob && saveFile(name, blob, "image/png"), "image/png");

/* Saves what draw(ctx) puts into w x h, on the page's ground, with the title and the page's caption below. */
export function saveSheet(name, page, title, w, h, draw) {
  const canvas = el("canvas");
  const ctx = canvas.getContext("2d");
  const look = theme(page.root);
  const font = "13px system-ui";
  const wide = w - 16;
  ctx.font = font;
  const lines = [title, ...wrapWords(page.caption.textContent, wide, (text) => ctx.measureText(text).width)];
  canvas.width = w;
  canvas.height = h + 16 + 20 * lines.length;
  ctx.fillStyle = look.dark ? "#14161a" : "#fff";
  ctx.fillRect(0, 0, w, canvas.height);
  ctx.save();
  draw(ctx, look);
  ctx.restore();
  ctx.fillStyle = look.ink;
  ctx.font = font;
  ctx.textBaseline = "top";
  lines.forEach((line, k) => ctx.fillText(line, 8, h + 10 + 20 * k, wide));
  saveCanvas(name, canvas);
}
