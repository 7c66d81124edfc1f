/* Writes down as SVG what is drawn on it. It has the methods and properties of Canvas2D that the widgets draw with, so
that one drawing serves the page, the PNG and the SVG. Paths are kept in the sheet's own pixels. */

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const SVG = "http://www.w3.org/2000/svg";
const within = (clip) => (clip ? `url(#${clip})` : null);
const digits = (x) => String(Math.round(x * 100) / 100 || 0);

/**
 * A CSS colour as [what SVG's older readers know, its opacity].
 * @param {string} colour
 * @returns {[string, number]}
 */
function svgColour(colour) {
  const long = /^#([0-9a-f]{6})([0-9a-f]{2})$/i.exec(colour);
  if (long) return [`#${long[1]}`, Number.parseInt(long[2], 16) / 255];
  const parts = /^rgba?\(([^)]*)\)$/i
    .exec(colour)?.[1]
    .split(/[\s,/]+/)
    .filter(Boolean);
  if (!parts) return [colour, 1];
  const share = (text) => (text.endsWith("%") ? Number.parseFloat(text) / 100 : Number.parseFloat(text));
  return [
    `rgb(${parts
      .slice(0, 3)
      .map((part) => Math.round(Number(part)))
      .join(",")})`,
    parts[3] ? share(parts[3]) : 1,
  ];
}

/**
 * A CSS font as its parts.
 * @param {string} font
 */
function svgFont(font) {
  const [, weight = "400", size = "10", family = "sans-serif"] =
    /^(?:(\d+|bold)\s+)?([\d.]+)px(?:\/\S+)?\s+(.+)$/.exec(font) ?? [];
  return { weight, size: Number.parseFloat(size), family: `${family}, sans-serif` };
}

/* How far the letters' foot lies below the given line, in parts of their size, where the browser does not say. */
const BASELINES = { top: 0.8, hanging: 0.8, middle: 0.32, bottom: -0.2, ideographic: -0.2, alphabetic: 0 };
const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };
const KEPT = [
  "fillStyle",
  "strokeStyle",
  "lineWidth",
  "lineCap",
  "lineJoin",
  "globalAlpha",
  "font",
  "textAlign",
  "textBaseline",
  "imageSmoothingEnabled",
  "matrix",
  "dash",
  "clipped",
];

/**
 * A piece of markup; attributes that are null are left out.
 * @param {string} name
 * @param {Record<string, string | number | null>} attributes
 * @param {string | null} [body]
 */
function element(name, attributes, body = null) {
  const given = Object.entries(attributes).filter(([, value]) => value != null);
  const list = given
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? digits(value) : escaped(value)}"`)
    .join("");
  return body == null ? `<${name}${list}/>` : `<${name}${list}>${body}</${name}>`;
}

export class Recorder {
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  lineCap = "butt";
  lineJoin = "miter";
  globalAlpha = 1;
  font = "10px sans-serif";
  textAlign = "start";
  textBaseline = "alphabetic";
  imageSmoothingEnabled = true;
  imageSmoothingQuality = "low";

  /**
   * @param {number} width
   * @param {number} height
   * @param {{ measure?: (text: string, font: string, baseline: string) => any,
   *   href?: (image: any, photograph: boolean) => string }} [tools] the measures of a text, and an image as a data URL;
   *   by default the browser's
   */
  constructor(width, height, { measure = measureText, href = dataUrl } = {}) {
    this.width = width;
    this.height = height;
    this.measure = measure;
    this.href = href;
    this.matrix = [1, 0, 0, 1, 0, 0];
    this.dash = [];
    /** @type {string | null} */
    this.clipped = null;
    this.stack = [];
    this.path = "";
    this.definitions = [];
    this.images = new Map();
    /** @type {[clip: string | null, markup: string][]} */
    this.marks = [];
  }

  save() {
    this.stack.push(KEPT.map((name) => this[name]));
  }
  restore() {
    this.stack.pop()?.forEach((value, k) => {
      this[KEPT[k]] = value;
    });
  }

  translate(x, y) {
    this.transform(1, 0, 0, 1, x, y);
  }
  rotate(angle) {
    this.transform(Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0);
  }
  scale(x, y) {
    this.transform(x, 0, 0, y, 0, 0);
  }
  transform(a, b, c, d, e, f) {
    const [A, B, C, D, E, F] = this.matrix;
    this.matrix = [A * a + C * b, B * a + D * b, A * c + C * d, B * c + D * d, A * e + C * f + E, B * e + D * f + F];
  }
  getTransform() {
    const [a, b, c, d, e, f] = this.matrix;
    return { a, b, c, d, e, f };
  }
  at(x, y) {
    const [a, b, c, d, e, f] = this.matrix;
    return `${digits(a * x + c * y + e)} ${digits(b * x + d * y + f)}`;
  }
  get stretch() {
    const [a, b, c, d] = this.matrix;
    return Math.sqrt(Math.abs(a * d - b * c));
  }

  setLineDash(dash) {
    this.dash = [...dash];
  }
  getLineDash() {
    return [...this.dash];
  }

  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${this.at(x, y)}`;
  }
  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${this.at(x, y)}`;
  }
  quadraticCurveTo(cx, cy, x, y) {
    this.path += `Q${this.at(cx, cy)} ${this.at(x, y)}`;
  }
  bezierCurveTo(ax, ay, bx, by, x, y) {
    this.path += `C${this.at(ax, ay)} ${this.at(bx, by)} ${this.at(x, y)}`;
  }
  closePath() {
    this.path += "Z";
  }
  rect(x, y, w, h) {
    this.path += `M${this.at(x, y)}L${this.at(x + w, y)}L${this.at(x + w, y + h)}L${this.at(x, y + h)}Z`;
  }
  roundRect(x, y, w, h, radius) {
    const r = Math.min(radius, w / 2, h / 2);
    this.moveTo(x + r, y);
    for (const [px, py, cx, cy, ex, ey] of [
      [x + w - r, y, x + w, y, x + w, y + r],
      [x + w, y + h - r, x + w, y + h, x + w - r, y + h],
      [x + r, y + h, x, y + h, x, y + h - r],
      [x, y + r, x, y, x + r, y],
    ]) {
      this.lineTo(px, py);
      this.quadraticCurveTo(cx, cy, ex, ey);
    }
    this.closePath();
  }
  arc(x, y, r, from, to) {
    this.ellipse(x, y, r, r, 0, from, to);
  }
  ellipse(x, y, rx, ry, turn, from, to) {
    const point = (angle) => {
      const [u, v] = [rx * Math.cos(angle), ry * Math.sin(angle)];
      return this.at(x + u * Math.cos(turn) - v * Math.sin(turn), y + u * Math.sin(turn) + v * Math.cos(turn));
    };
    const [a, b] = this.matrix;
    const tilt = ((turn + Math.atan2(b, a)) * 180) / Math.PI;
    const by = Math.min(to - from, 2 * Math.PI);
    const radii = `${digits(rx * this.stretch)} ${digits(ry * this.stretch)} ${digits(tilt)}`;
    const half = `A${radii} 0 1 `; // an arc of more than half a turn needs two
    this.path += `${this.path && !this.path.endsWith("Z") ? "L" : "M"}${point(from)}`;
    this.path += `${half}${point(from + by / 2)}${half}${point(from + by)}`;
    if (by === 2 * Math.PI) this.closePath();
  }

  fill(rule = "nonzero") {
    if (!this.path) return;
    const evenodd = rule === "evenodd" ? rule : null;
    this.add("path", { d: this.path, ...this.paint("fill", this.fillStyle), "fill-rule": evenodd });
  }
  stroke() {
    if (!this.path) return;
    this.add("path", {
      d: this.path,
      fill: "none",
      ...this.paint("stroke", this.strokeStyle),
      "stroke-width": this.lineWidth * this.stretch,
      "stroke-linecap": this.lineCap === "butt" ? null : this.lineCap,
      "stroke-linejoin": this.lineJoin === "miter" ? null : this.lineJoin,
      "stroke-dasharray": this.dash.length ? this.dash.map((d) => digits(d * this.stretch)).join(" ") : null,
    });
  }
  clip() {
    const id = `clip${this.definitions.length + 1}`;
    const area = element("path", { d: this.path });
    this.definitions.push(element("clipPath", { id, "clip-path": within(this.clipped) }, area));
    this.clipped = id;
  }
  fillRect(x, y, w, h) {
    this.apart(() => {
      this.rect(x, y, w, h);
      this.fill();
    });
  }
  strokeRect(x, y, w, h) {
    this.apart(() => {
      this.rect(x, y, w, h);
      this.stroke();
    });
  }
  clearRect() {}

  measureText(text) {
    return this.measure(text, this.font, this.textBaseline);
  }
  fillText(text, x, y, most) {
    this.write(text, x, y, most, this.paint("fill", this.fillStyle));
  }
  strokeText(text, x, y, most) {
    const paint = { fill: "none", ...this.paint("stroke", this.strokeStyle), "stroke-width": this.lineWidth };
    this.write(text, x, y, most, { ...paint, "stroke-linejoin": "round" });
  }
  write(text, x, y, most, paint) {
    if (text === "" || text == null) return;
    const { weight, size, family } = svgFont(this.font);
    const { width, alphabeticBaseline } = this.measureText(text);
    const below = alphabeticBaseline == null ? BASELINES[this.textBaseline] * size : -alphabeticBaseline;
    const anchor = ANCHORS[this.textAlign];
    const attributes = {
      transform: this.placed(),
      x,
      y: y + below,
      "font-family": family,
      "font-size": size,
      "font-weight": weight === "400" ? null : weight,
      "text-anchor": anchor === "start" ? null : anchor,
      ...(most < width ? { textLength: most, lengthAdjust: "spacingAndGlyphs" } : {}),
      ...paint,
      "xml:space": "preserve",
    };
    this.add("text", attributes, escaped(text));
  }

  drawImage(image, x, y, width = image.width, height = image.height) {
    this.add("image", {
      transform: this.placed(),
      x,
      y,
      width,
      height,
      preserveAspectRatio: "none",
      href: this.source(image, this.imageSmoothingEnabled),
      style: this.imageSmoothingEnabled ? null : "image-rendering:pixelated",
      opacity: this.globalAlpha === 1 ? null : this.globalAlpha,
    });
  }
  createPattern(image) {
    return { image };
  }

  /* Not of Canvas2D ----------------------------------------------------------------------------------------- */

  apart(draw) {
    const kept = this.path;
    this.path = "";
    draw();
    this.path = kept;
  }
  source(image, photograph = false) {
    if (!this.images.has(image)) this.images.set(image, this.href(image, photograph));
    return this.images.get(image);
  }
  paint(kind, style) {
    const [colour, alpha] = typeof style === "string" ? svgColour(style) : [`url(#${this.pattern(style.image)})`, 1];
    const opacity = Math.round(alpha * this.globalAlpha * 1000) / 1000;
    return { [kind]: colour, [`${kind}-opacity`]: opacity === 1 ? null : String(opacity) };
  }
  pattern(image) {
    const id = `pattern${this.definitions.length + 1}`;
    const { width, height } = image;
    const [, , , , x, y] = this.matrix;
    const tile = element("image", { width, height, href: this.source(image) });
    this.definitions.push(element("pattern", { id, patternUnits: "userSpaceOnUse", x, y, width, height }, tile));
    return id;
  }
  placed() {
    const [a, b, c, d, e, f] = this.matrix;
    if (a === 1 && b === 0 && c === 0 && d === 1 && e === 0 && f === 0) return null;
    return `matrix(${this.matrix.map((v) => +v.toFixed(4)).join(" ")})`;
  }
  add(name, attributes, body = null) {
    this.marks.push([this.clipped, element(name, attributes, body)]);
  }

  /** @param {string} title */
  toSVG(title) {
    const groups = [];
    for (const [clip, markup] of this.marks) {
      if (groups.at(-1)?.clip !== clip) groups.push({ clip, marks: [] });
      groups.at(-1).marks.push(markup);
    }
    const { width, height } = this;
    const body = [
      element("title", {}, escaped(title)),
      element("defs", {}, this.definitions.join("\n")),
      ...groups.map(({ clip, marks }) => element("g", { "clip-path": within(clip) }, marks.join("\n"))),
    ];
    const viewBox = `0 0 ${width} ${height}`;
    const root = element("svg", { xmlns: SVG, width, height, viewBox }, `\n${body.join("\n")}\n`);
    return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
  }
}

/* The browser's part --------------------------------------------------------------------------------------------- */

let pen = null;
function measureText(text, font, baseline) {
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = font;
  pen.textBaseline = baseline;
  return pen.measureText(text);
}

const SMALL = 200; // what is not larger stays exact
function dataUrl(image, photograph) {
  let canvas = image;
  if (!(image instanceof HTMLCanvasElement)) {
    canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
  }
  return photograph && Math.min(canvas.width, canvas.height) > SMALL
    ? canvas.toDataURL("image/jpeg", 0.93)
    : canvas.toDataURL("image/png");
}
