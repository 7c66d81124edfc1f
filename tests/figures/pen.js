/* A context of Canvas2D's methods that writes down what is drawn, in numbers. Names start with "Pen" or "pen". */
class Pen {
  constructor() {
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, font: "10px x" });
    Object.assign(this, { marks: [], path: [], stack: [], dash: [], move: [0, 0, 0] });
  }
  save() {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha, font, dash, move } = this;
    this.stack.push({ fillStyle, strokeStyle, lineWidth, globalAlpha, font, dash, move: [...move] });
  }
  restore() {
    Object.assign(this, this.stack.pop());
  }
  translate(x, y) {
    this.move = [this.move[0] + x, this.move[1] + y, this.move[2]];
  }
  rotate(angle) {
    this.move = [this.move[0], this.move[1], angle];
  }
  at(x, y) {
    return [x + this.move[0], y + this.move[1]];
  }
  getTransform() {
    return { a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 };
  }
  setLineDash(dash) {
    this.dash = [...dash];
  }
  beginPath() {
    this.path = [];
  }
  moveTo(x, y) {
    this.path.push(["M", ...this.at(x, y)]);
  }
  lineTo(x, y) {
    this.path.push([this.path.length ? "L" : "M", ...this.at(x, y)]);
  }
  quadraticCurveTo(cx, cy, x, y) {
    this.path.push(["Q", ...this.at(cx, cy), ...this.at(x, y)]);
  }
  closePath() {
    this.path.push(["Z"]);
  }
  rect(x, y, w, h) {
    this.path.push(["R", ...this.at(x, y), w, h]);
  }
  roundRect(x, y, w, h) {
    this.rect(x, y, w, h);
  }
  arc(x, y, r) {
    this.path.push(["E", ...this.at(x, y), r, r]);
  }
  ellipse(x, y, rx, ry) {
    this.path.push(["E", ...this.at(x, y), rx, ry]);
  }
  mark(kind, path, style) {
    const { lineWidth: width, globalAlpha: alpha, dash } = this;
    this.marks.push({ kind, path: path.map((part) => [...part]), style: String(style), width, alpha, dash });
  }
  stroke() {
    this.mark("stroke", this.path, this.strokeStyle);
  }
  fill() {
    this.mark("fill", this.path, this.fillStyle);
  }
  clip() {}
  fillRect(x, y, w, h) {
    this.mark("fill", [["R", ...this.at(x, y), w, h]], this.fillStyle);
  }
  strokeRect(x, y, w, h) {
    this.mark("stroke", [["R", ...this.at(x, y), w, h]], this.strokeStyle);
  }
  fillText(text, x, y) {
    this.marks.push({ kind: "text", text: String(text), place: this.at(x, y) });
  }
  measureText(text) {
    return { width: 0.45 * Number.parseFloat(/[\d.]+(?=px)/.exec(this.font)[0]) * String(text).length };
  }
  drawImage(image, x, y, w, h) {
    this.marks.push({ kind: "image", data: image.data ? [...image.data] : null, place: [...this.at(x, y), w, h] });
  }
}
globalThis.document = {
  createElement: () => {
    const canvas = { width: 1, height: 1, dataset: {} };
    canvas.getContext = () => ({
      createImageData: (w, h) => ({ data: new Uint8ClampedArray(4 * w * h) }),
      putImageData: (image) => {
        canvas.data = image.data;
      },
      fillRect() {},
      drawImage() {},
    });
    return canvas;
  },
};
const penLook = {
  ink: "rgb(27 35 48 / 1)",
  soft: "rgb(27 35 48 / 0.68)",
  faint: "rgb(27 35 48 / 0.28)",
  hair: "rgb(27 35 48 / 0.12)",
  ground: "rgb(255 255 255)",
  font: "x",
};
const penHost = {
  meta: input.meta,
  bytes: (name) => Uint8Array.from(Buffer.from(input.blobs[name], "base64")),
  get: (key) => input.meta.state[key],
};
