/* draw.js: canvas parts shared by the widgets; no DOM is touched at load time. Needs host.js and page.js before it.

Pure (tested with node): decodeHalf(bytes) -> Float32Array; colourMap(lut) -> {rgb(t), css(t, alpha), strip()};
  nearestPoint(points, p, limit) -> index | -1; stepPoint(points, from, arrowKey) -> index;
  fitFace(w, h, pad) -> view {side, px(p), unit(p)}; ticks(lo, hi, n); number(x); csv(rows);
  placeLabels(items, side); wrapWords(text, width, measure); besideScale(w, texts, measure).
Canvas: surface(parent, {label, ratio, draw(ctx, w, h)}) -> {canvas, width, height, paint(), at(event), close()};
  loadImage(bytes, done); drawPhoto, drawLines, drawDots, drawTag, drawArrow, drawScale, drawBrackets;
  saveSheet(name, page, title, w, h, draw): a picture with its title and caption, as a file;
  matrixImage(n, value(row, col) -> t | null, map) -> canvas of n x n pixels. Face coordinates are [0, 1] of the crop. */

function decodeHalf(bytes) {
  const words = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.byteLength & ~1)));
  const out = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const h = words[i], exponent = (h >> 10) & 31, fraction = h & 1023, sign = h & 32768 ? -1 : 1;
    out[i] = exponent === 0 ? sign * fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : sign * Infinity)
      : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

function colourMap(lut) {
  const last = lut.length / 3 - 1;
  const index = (t) => 3 * Math.round(Math.min(1, Math.max(0, t || 0)) * last);
  const rgb = (t) => { const i = index(t); return [lut[i], lut[i + 1], lut[i + 2]]; };
  let drawn = null;
  return { rgb, css: (t, alpha = 1) => `rgb(${rgb(t).join(" ")} / ${alpha})`, strip: () => (drawn ||= stripOf(lut)) };
}

function nearestPoint(points, [x, y], limit = Infinity) {
  let best = -1, least = limit;
  points.forEach(([u, v], i) => {
    const d = Math.hypot(u - x, v - y);
    if (d <= least && (best < 0 || d < least)) { best = i; least = d; }
  });
  return best;
}

/* The nearest landmark in the direction of an arrow key; stays when there is none. */
function stepPoint(points, from, key) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!way) return from;
  if (from == null || from < 0) return 0;
  let best = from, least = Infinity;
  points.forEach(([x, y], i) => {
    const dx = x - points[from][0], dy = y - points[from][1];
    const along = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
    if (i === from || along <= 1e-9 || aside > 2 * along) return;
    const cost = along + 2 * aside;
    if (cost < least) { least = cost; best = i; }
  });
  return best;
}

function fitFace(w, h, pad = 0) {
  const side = Math.max(1, Math.min(w, h) - 2 * pad), x0 = (w - side) / 2, y0 = (h - side) / 2;
  return { side, x0, y0, px: ([u, v]) => [x0 + u * side, y0 + v * side], unit: ([x, y]) => [(x - x0) / side, (y - y0) / side] };
}

function ticks(lo, hi, count = 4) {
  const raw = (hi - lo) / count;
  if (!(raw > 0)) return [lo];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; k++) out.push(k === 0 ? 0 : k * step);
  return out;
}

/* At most three significant digits, no exponent above 1e-4. */
function number(x) {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size < 1e-4) return x.toExponential(1);
  return String(+x.toPrecision(size < 1 ? 3 : 4));
}

const csv = (rows) => rows.map((row) => row.map((cell) => /[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell).join(",")).join("\r\n") + "\r\n";

/* Names along an axis of `side` pixels, none on another: items {at (wanted centre), room (length of its bracket), widths
(of the name and of a shorter one)} -> {item, short, at} of those that find a place. A name may stick out of its bracket
as long as its middle stays near the bracket's; where not all fit, all are shortened, then the narrowest brackets go without. */
function placeLabels(items, side, gap = 5) {
  const lay = (list, short) => {
    const at = list.map((item) => item.at), half = list.map((item) => item.widths[short] / 2);
    list.forEach((_, i) => { at[i] = Math.max(at[i], i ? at[i - 1] + half[i - 1] + gap + half[i] : half[i]); });
    for (let i = list.length - 1; i >= 0; i--) at[i] = Math.min(at[i], i + 1 < list.length ? at[i + 1] - half[i + 1] - gap - half[i] : side - half[i]);
    return list.every((item, i) => Math.abs(at[i] - item.at) <= item.room / 4) ? list.map((item, i) => ({ item, short, at: at[i] })) : null;
  };
  const least = (list) => list.reduce((a, b) => (b.room < a.room ? b : a));
  let list = items, found = lay(list, 0);
  while (!found && !(found = lay(list, 1))) { const out = least(list); list = list.filter((item) => item !== out); }
  return found;
}

function wrapWords(text, width, measure) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (!lines.length || measure(longer) > width) lines.push(word); else lines[lines.length - 1] = longer;
  }
  return lines;
}

/* The width of a colour bar in a strip of width w, and the longest of `texts` (longest first) that fits right of it. */
function besideScale(w, texts, measure) {
  const room = (text) => Math.min(300, w - 18 - 16 - 10 - measure(text));
  const text = texts.find((t) => room(t) >= 160) ?? texts.at(-1);
  return [Math.max(60, room(text)), text];
}

/* Canvas -------------------------------------------------------------------------------------------------- */

/* A crisp canvas as wide as its parent, height = width * ratio (a number or a function of the width). */
function surface(parent, { label, ratio = 1, draw, focusable = true }) {
  const canvas = el("canvas", { role: "img", "aria-label": label, tabindex: focusable ? 0 : null });
  parent.append(canvas);
  const self = { canvas, width: 0, height: 0, paint, at, close };
  let waiting = 0;
  function render() {
    waiting = 0;
    if (!self.width) return;
    const dpr = Math.max(1, globalThis.devicePixelRatio || 1), w = Math.round(self.width * dpr), h = Math.round(self.height * dpr);
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, self.width, self.height);
    draw(ctx, self.width, self.height);
  }
  function paint() { if (!waiting) waiting = requestAnimationFrame(render); }
  function at(event) { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; }
  const watch = new ResizeObserver(() => {
    const width = canvas.clientWidth, height = Math.round(typeof ratio === "function" ? ratio(width) : width * ratio);
    if (!width) return;
    canvas.style.height = `${height}px`;
    self.width = width; self.height = height;
    paint();
  });
  watch.observe(canvas);
  function close() { watch.disconnect(); cancelAnimationFrame(waiting); canvas.remove(); }
  return self;
}

function loadImage(bytes, done) {
  if (!bytes) return;
  createImageBitmap(new Blob([bytes])).then(done, () => {});
}

/* The crop under everything; veil 0..1 darkens it so that thin lines stay readable. The scaled picture is kept. */
const WB_SCALED = new WeakMap();
function drawPhoto(ctx, view, image, veil = 0) {
  ctx.fillStyle = "#101114";
  ctx.fillRect(view.x0, view.y0, view.side, view.side);
  if (!image) return;
  const size = Math.max(1, Math.round(view.side * ctx.getTransform().a));
  let kept = WB_SCALED.get(image);
  if (kept?.width !== size || kept.dataset.veil !== String(veil)) {
    kept = Object.assign(document.createElement("canvas"), { width: size, height: size });
    kept.dataset.veil = veil;
    const pen = kept.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0, 0, size, size);
    pen.fillStyle = `rgb(12 12 16 / ${veil})`; pen.fillRect(0, 0, size, size);
    WB_SCALED.set(image, kept);
  }
  ctx.drawImage(kept, view.x0, view.y0, view.side, view.side);
}

/* The scheme's polylines (face from hosts.py: face_meta). */
function drawLines(ctx, view, points, face, { alpha = 0.8, width = 1.2, colour = null } = {}) {
  ctx.save();
  ctx.globalAlpha = alpha; ctx.lineWidth = width; ctx.lineJoin = ctx.lineCap = "round";
  for (const line of face.lines) {
    ctx.strokeStyle = colour || line.colour;
    ctx.beginPath();
    line.path.forEach((i, k) => ctx[k ? "lineTo" : "moveTo"](...view.px(points[i])));
    ctx.stroke();
  }
  ctx.restore();
}

/* radius and alpha: a number or a function of the landmark; a dark rim keeps dots apart from any skin. */
function drawDots(ctx, view, points, face, { radius = 2.5, alpha = 1, rim = "rgb(0 0 0 / .65)" } = {}) {
  const of = (value, i) => typeof value === "function" ? value(i) : value;
  ctx.save();
  points.forEach((p, i) => {
    const r = of(radius, i);
    if (!r) return;
    ctx.globalAlpha = of(alpha, i);
    ctx.beginPath(); ctx.arc(...view.px(p), r, 0, 7);
    ctx.fillStyle = face.colour[i]; ctx.fill();
    if (rim) { ctx.strokeStyle = rim; ctx.lineWidth = 0.8; ctx.stroke(); }
  });
  ctx.restore();
}

/* A small text tag with a dark ground, kept inside of w x h. */
function drawTag(ctx, text, x, y, w, h, font = "system-ui") {
  ctx.save();
  ctx.font = `600 11px ${font}`;
  const wide = ctx.measureText(text).width + 10;
  const left = Math.min(Math.max(2, x + 8), w - wide - 2), top = Math.min(Math.max(2, y - 22), h - 20);
  ctx.fillStyle = "rgb(16 17 20 / .85)";
  ctx.beginPath(); ctx.roundRect(left, top, wide, 18, 4); ctx.fill();
  ctx.fillStyle = "#f3f4f5"; ctx.textBaseline = "middle";
  ctx.fillText(text, left + 5, top + 9.5);
  ctx.restore();
}

/* A slightly bent line from a to b (pixels), so that there and back stay apart; with `head`, an arrow at b. */
function drawArrow(ctx, a, b, { colour, width = 1, bend = 0.08, head = 0 }) {
  const dx = b[0] - a[0], dy = b[1] - a[1], length = Math.hypot(dx, dy);
  if (length < 0.5) return;
  const c = [(a[0] + b[0]) / 2 - dy * bend, (a[1] + b[1]) / 2 + dx * bend];
  const tx = b[0] - c[0], ty = b[1] - c[1], t = Math.hypot(tx, ty) || 1, u = [tx / t, ty / t];
  const size = Math.min(head, length * 0.6), end = [b[0] - u[0] * size * 0.8, b[1] - u[1] * size * 0.8];
  ctx.strokeStyle = ctx.fillStyle = colour; ctx.lineWidth = width; ctx.lineCap = "round";
  ctx.beginPath(); ctx.moveTo(...a); ctx.quadraticCurveTo(...c, ...end); ctx.stroke();
  if (!size) return;
  ctx.beginPath(); ctx.moveTo(...b);
  for (const side of [1, -1]) ctx.lineTo(b[0] - u[0] * size + side * u[1] * size * 0.45, b[1] - u[1] * size - side * u[0] * size * 0.45);
  ctx.closePath(); ctx.fill();
}

/* A colour bar with true units at x, y (its top left); wedge > 0: it grows to that line width in pixels. */
function drawScale(ctx, x, y, w, h, map, lo, hi, { text = "", wedge = 0, ink = "#f3f4f5", mark = null, font = "system-ui" } = {}) {
  ctx.save();
  ctx.font = `11px ${font}`; ctx.textBaseline = "top";
  const mid = y + h / 2, small = wedge ? 0.35 : h / 2, tall = wedge ? wedge / 2 : h / 2;
  ctx.save();
  ctx.beginPath(); ctx.moveTo(x, mid - small); ctx.lineTo(x + w, mid - tall); ctx.lineTo(x + w, mid + tall); ctx.lineTo(x, mid + small); ctx.clip();
  ctx.drawImage(map.strip(), x, mid - tall, w, 2 * tall);
  ctx.restore();
  ctx.fillStyle = ctx.strokeStyle = ink; ctx.lineWidth = 1;
  const at = (value) => x + ((value - lo) / (hi - lo)) * w;
  let free = -Infinity;
  for (const value of ticks(lo, hi, Math.max(2, Math.floor(w / 60)))) {
    const label = number(value), half = ctx.measureText(label).width / 2;
    ctx.fillRect(at(value) - 0.5, y + h, 1, 3);
    if (at(value) - half < free) continue;
    ctx.fillText(label, at(value) - half, y + h + 4);
    free = at(value) + half + 6;
  }
  if (mark) {
    ctx.beginPath(); ctx.moveTo(at(mark.value), y); ctx.lineTo(at(mark.value) - 3.5, y - 5); ctx.lineTo(at(mark.value) + 3.5, y - 5); ctx.closePath(); ctx.fill();
    ctx.textBaseline = "bottom"; ctx.fillText(mark.text, Math.max(x, at(mark.value) - 4), y - 6);
  } else if (text) { ctx.textBaseline = "bottom"; ctx.fillText(text, x, y - 4); }
  ctx.restore();
}

/* Part colours and, where they fit, their names (placeLabels) along the top and the left of an n x n matrix that starts at x, y. */
function drawBrackets(ctx, face, x, y, side, { thick = 5, ink = null, font = "system-ui" } = {}) {
  const n = face.count;
  ctx.save();
  ctx.font = `10px ${font}`; ctx.textAlign = "center"; ctx.textBaseline = "bottom";
  const items = face.brackets.map(({ colour, start, stop, text }) => {
    const from = (start / n) * side + 0.75, long = ((stop - start) / n) * side - 1.5, texts = [text, text.split(" ")[0]];
    ctx.fillStyle = colour;
    ctx.fillRect(x + from, y - thick - 3, long, thick);
    ctx.fillRect(x - thick - 3, y + from, thick, long);
    return { at: from + long / 2, room: long, texts, widths: texts.map((t) => ctx.measureText(t).width) };
  });
  if (ink) for (const { item, short, at } of placeLabels(items, side)) {
    ctx.fillStyle = ink;
    ctx.fillText(item.texts[short], x + at, y - thick - 4);
    ctx.save(); ctx.translate(x - thick - 4, y + at); ctx.rotate(-Math.PI / 2); ctx.fillText(item.texts[short], 0, 0); ctx.restore();
  }
  ctx.restore();
}

/* Saves what draw(ctx) puts into w x h, on the page's ground, with the title and the page's caption below. */
function saveSheet(name, page, title, w, h, draw) {
  const canvas = el("canvas"), ctx = canvas.getContext("2d"), look = theme(page.root), font = "13px system-ui", wide = w - 16;
  ctx.font = font;
  const lines = [title, ...wrapWords(page.caption.textContent, wide, (text) => ctx.measureText(text).width)];
  canvas.width = w; canvas.height = h + 16 + 20 * lines.length;
  ctx.fillStyle = look.dark ? "#14161a" : "#fff"; ctx.fillRect(0, 0, w, canvas.height);
  ctx.save(); draw(ctx, look); ctx.restore();
  ctx.fillStyle = look.ink; ctx.font = font; ctx.textBaseline = "top";
  lines.forEach((line, k) => ctx.fillText(line, 8, h + 10 + 20 * k, wide));
  saveCanvas(name, canvas);
}

/* A colour map as a canvas of one row, for legends. */
function stripOf(lut) {
  const canvas = Object.assign(document.createElement("canvas"), { width: lut.length / 3, height: 1 });
  const ctx = canvas.getContext("2d"), image = ctx.createImageData(canvas.width, 1);
  for (let i = 0; i < canvas.width; i++) image.data.set([lut[3 * i], lut[3 * i + 1], lut[3 * i + 2], 255], 4 * i);
  ctx.putImageData(image, 0, 0);
  return canvas;
}

/* A matrix as an n x n pixel canvas, to be scaled with drawImage; t null is left empty. */
function matrixImage(n, value, map) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  const ctx = canvas.getContext("2d"), image = ctx.createImageData(n, n);
  for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) {
    const t = value(r, c);
    if (t == null) continue;
    const k = 4 * (r * n + c);
    [image.data[k], image.data[k + 1], image.data[k + 2]] = map.rgb(t);
    image.data[k + 3] = 255;
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}
