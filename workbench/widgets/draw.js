/* draw.js: canvas and page parts shared by the widgets. Needs host.js before it; no DOM is touched at load time.

Pure (tested with node): decodeHalf(bytes) -> Float32Array; colourMap(lut) -> {rgb(t), css(t, alpha)};
  nearestPoint(points, p, limit) -> index | -1; stepPoint(points, from, arrowKey) -> index;
  fitFace(w, h, pad) -> view {side, px(p), unit(p)}; ticks(lo, hi, n); number(x); csv(rows).
Page: el(tag, attributes, ...children); frame(host, name) -> {root, strip, main, side, caption, foot (buttons beside
  the caption), say(text), close()};
  segmented / slider / toggle / button / spacer for the strip; tooltip(frame) -> {show(x, y, lines),
  corner(node, x, lines), hide()};
  theme(node) -> colours of the surrounding page; saveFile; saveCanvas; animate(ms, step) -> cancel.
Canvas: surface(parent, {label, ratio, draw(ctx, w, h)}) -> {canvas, width, height, paint(), at(event), close()};
  loadImage(bytes, done); drawPhoto, drawLines, drawDots, drawTag, drawArrow, drawScale, drawBrackets;
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
  return { rgb, css: (t, alpha = 1) => `rgb(${rgb(t).join(" ")} / ${alpha})` };
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

/* Page ---------------------------------------------------------------------------------------------------- */

const WB_STYLE = `
.wb { --ink: var(--st-text-color, var(--jp-ui-font-color1, light-dark(#1d2126, #e7e9ec)));
  --ground: var(--st-background-color, var(--jp-layout-color0, light-dark(#fff, #14161a)));
  --accent: var(--st-primary-color, var(--jp-brand-color1, #0072b2));
  --soft: color-mix(in srgb, var(--ink) 68%, var(--ground)); --line: color-mix(in srgb, var(--ink) 16%, var(--ground));
  --raised: color-mix(in srgb, var(--ink) 5%, var(--ground));
  container-type: inline-size; position: relative; color: var(--ink); font: 13px/1.35 var(--st-font, var(--jp-ui-font-family, system-ui, sans-serif));
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased; }
.wb *, .wb *::before { box-sizing: border-box; }
.wb-strip { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; padding: 0 0 8px; }
.wb-stage { display: grid; grid-template-columns: minmax(0, 1.4fr) minmax(0, 1fr); gap: 14px; align-items: start; }
.wb-main, .wb-side { position: relative; min-width: 0; display: grid; gap: 8px; }
.wb-below { display: flex; align-items: flex-start; gap: 12px; margin-top: 8px; } .wb-foot { display: flex; gap: 6px; margin-left: auto; }
.wb-caption { margin: 4px 0 0; flex: 1; color: var(--soft); font-size: 12px; min-height: 1.35em; }
.wb-caption code { font: 11.5px/1.3 var(--st-code-font, var(--jp-code-font-family, ui-monospace, monospace)); color: var(--ink); }
.wb-field { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); white-space: nowrap; }
.wb-field output { color: var(--ink); min-width: 4.4ch; }
.wb-seg { display: inline-flex; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.wb button { font: inherit; color: var(--ink); background: none; border: 1px solid var(--line); border-radius: 6px; padding: 2px 9px; min-height: 26px; cursor: pointer; }
.wb-seg button { border: 0; border-radius: 0; }
.wb-seg button + button { border-left: 1px solid var(--line); }
.wb button:hover { background: var(--raised); }
.wb button[aria-pressed=true] { background: var(--ink); color: var(--ground); border-color: var(--ink); }
.wb button:disabled { opacity: .4; cursor: default; }
.wb :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.wb input[type=range] { width: 68px; accent-color: var(--ink); margin: 0; height: 20px; cursor: pointer; }
.wb canvas { display: block; width: 100%; touch-action: pan-y; }
.wb-face { border-radius: 8px; overflow: hidden; background: #101114; }
.wb-tip { position: absolute; z-index: 5; pointer-events: none; max-width: 270px; padding: 6px 9px; border-radius: 6px; background: color-mix(in srgb, #101114 94%, transparent); color: #f3f4f5; font-size: 12px; box-shadow: 0 2px 10px rgb(0 0 0 / .35); opacity: 0; }
.wb-tip.on { opacity: 1; }
.wb-tip div { display: flex; gap: 12px; justify-content: space-between; } .wb-tip b { font-weight: 600; }
.wb-tip i { font-style: normal; opacity: .72; }
.wb-gap { flex: 1; }
.wb-say { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@container (max-width: 700px) { .wb-stage { grid-template-columns: minmax(0, 1fr); } .wb-gap { display: none; } .wb-strip { gap: 6px 10px; } }
`;

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c != null));
  return node;
}

function frame(host, name, style = "") {
  const strip = el("div", { class: "wb-strip", role: "toolbar", "aria-label": `${name}: controls` });
  const main = el("div", { class: "wb-main" }), side = el("div", { class: "wb-side" });
  const caption = el("p", { class: "wb-caption" }), foot = el("div", { class: "wb-foot" }), said = el("div", { class: "wb-say", "aria-live": "polite" });
  const root = el("section", { class: "wb", "aria-label": name }, el("style", {}, WB_STYLE + style), strip,
    el("div", { class: "wb-stage" }, main, side), el("div", { class: "wb-below" }, caption, foot), said);
  host.root.append(root);
  return { root, strip, main, side, caption, foot, say: (text) => { said.textContent = text; }, close: () => root.remove() };
}

/* Colours of the page that the widget stands in, for what is drawn outside of photographs. */
const WB_THEMES = new Map();
function theme(node) {
  const { color, fontFamily } = getComputedStyle(node);
  if (!WB_THEMES.has(color)) {
    const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    probe.fillStyle = color; probe.fillRect(0, 0, 1, 1);
    const ink = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
    const css = (alpha) => `rgb(${ink.join(" ")} / ${alpha})`;
    WB_THEMES.set(color, { dark: 0.299 * ink[0] + 0.587 * ink[1] + 0.114 * ink[2] > 128, ink: css(1), soft: css(0.68), faint: css(0.28), hair: css(0.12) });
  }
  return { ...WB_THEMES.get(color), font: fontFamily };
}

function button(text, title, onclick) {
  return el("button", { type: "button", title, "aria-label": title, onclick }, text);
}

/* choices: [[value, text, title]]. One is pressed; -> {node, set(value)}. */
function segmented(label, choices, value, onchange) {
  const node = el("span", { class: "wb-field", role: "group", "aria-label": label || choices.map((c) => c[1]).join(" or ") }), seg = el("span", { class: "wb-seg" });
  const set = (now) => buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(choices[k][0] === now)));
  const buttons = choices.map(([v, text, title]) => el("button", { type: "button", title, onclick: () => { set(v); onchange(v); } }, text));
  seg.append(...buttons);
  node.append(...(label ? [label] : []), seg);
  set(value);
  return { node, set };
}

function toggle(text, title, value, onchange) {
  let now = Boolean(value);
  const node = el("button", { type: "button", title, onclick: () => { set(!now); onchange(now); } }, text);
  const set = (next) => { now = Boolean(next); node.setAttribute("aria-pressed", String(now)); };
  set(now);
  return { node, set };
}

/* oninput while it moves (local only), oncommit when it is let go; -> {node, set(value), range(min, max, step)}. */
function slider(label, title, { min, max, step, value, format = number }, oninput, oncommit = () => {}) {
  const shown = el("output"), input = el("input", { type: "range", min, max, step, title, "aria-label": title });
  const show = () => { shown.textContent = format(+input.value); input.setAttribute("aria-valuetext", format(+input.value)); };
  input.addEventListener("input", () => { show(); oninput(+input.value); });
  input.addEventListener("change", () => oncommit(+input.value));
  const set = (v) => { input.value = v; show(); };
  set(value);
  return { node: el("label", { class: "wb-field" }, label, input, shown), set,
    range: (lo, hi, by) => { input.min = lo; input.max = hi; input.step = by; show(); } };
}

const spacer = () => el("span", { class: "wb-gap" });

/* lines: strings or [left, right] pairs; the first is bold. x, y are client pixels; corner() stays out of the way, in
the upper corner of `node` that is farther from the pointer. */
function tooltip(page) {
  const tip = el("div", { class: "wb-tip", role: "tooltip", "aria-hidden": "true" });
  page.root.append(tip);
  function fill(lines) {
    tip.replaceChildren(...lines.map((line, k) => {
      const [left, right] = Array.isArray(line) ? line : [line];
      return el("div", {}, el(k ? "span" : "b", {}, left), right == null ? null : el("i", {}, right));
    }));
    tip.classList.add("on");
    return page.root.getBoundingClientRect();
  }
  function put(x, y) { tip.style.left = `${x}px`; tip.style.top = `${y}px`; }
  return {
    show(x, y, lines) {
      const box = fill(lines), w = tip.offsetWidth, h = tip.offsetHeight;
      const left = x - box.left + 14 + w > box.width ? x - box.left - w - 12 : x - box.left + 14;
      put(Math.max(2, left), Math.max(2, Math.min(y - box.top + 12, box.height - h - 2)));
    },
    corner(node, x, lines) {
      const box = fill(lines), place = node.getBoundingClientRect();
      put(x < place.left + place.width / 2 ? place.right - box.left - tip.offsetWidth - 8 : place.left - box.left + 8, place.top - box.top + 8);
    },
    hide: () => tip.classList.remove("on"),
  };
}

function saveFile(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type })), link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 5000);
}

const saveCanvas = (name, canvas) => canvas.toBlob((blob) => blob && saveFile(name, blob, "image/png"), "image/png");

/* step(0..1) once a frame; jumps to the end where motion is unwanted. */
function animate(ms, step) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) { step(1); return () => {}; }
  const start = performance.now();
  let id = requestAnimationFrame(function tick(now) {
    const t = Math.min(1, Math.max(0, (now - start) / ms));
    step(t < 1 ? t * t * (3 - 2 * t) : 1);
    if (t < 1) id = requestAnimationFrame(tick);
  });
  return () => cancelAnimationFrame(id);
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

/* The crop under everything; veil 0..1 darkens it so that thin lines stay readable. */
function drawPhoto(ctx, view, image, veil = 0) {
  ctx.fillStyle = "#101114";
  ctx.fillRect(view.x0, view.y0, view.side, view.side);
  if (!image) return;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(image, view.x0, view.y0, view.side, view.side);
  if (veil) { ctx.fillStyle = `rgb(12 12 16 / ${veil})`; ctx.fillRect(view.x0, view.y0, view.side, view.side); }
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
  for (let i = 0; i < w; i++) {
    const t = (i + 0.5) / w, tall = wedge ? Math.max(0.7, wedge * t) : h;
    ctx.fillStyle = map.css(t);
    ctx.fillRect(x + i, y + (h - tall) / 2, 1.2, tall);
  }
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

/* Part colours along the top and the left of an n x n matrix that starts at x, y with the given side. */
function drawBrackets(ctx, face, x, y, side, thick = 5) {
  const n = face.count;
  for (const { colour, start, stop } of face.brackets) {
    const from = (start / n) * side + 0.75, long = ((stop - start) / n) * side - 1.5;
    ctx.fillStyle = colour;
    ctx.fillRect(x + from, y - thick - 3, long, thick);
    ctx.fillRect(x - thick - 3, y + from, thick, long);
  }
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
