// The charts of a run: axes on a canvas, a histogram, a cumulative error distribution.

export function floats(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

export function extent(values) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values)
    if (Number.isFinite(v)) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  return low < high ? [low, high] : [low - 0.5 || 0, (Number.isFinite(high) ? high : 0) + 0.5];
}

export const short = (v) => (Number.isFinite(v) ? Number(v.toPrecision(3)).toString() : "-");

export function sized(canvas, tall) {
  const wide = Math.max(160, Math.round(canvas.getBoundingClientRect().width));
  const zoom = window.devicePixelRatio || 1;
  canvas.width = wide * zoom;
  canvas.height = tall * zoom;
  canvas.style.height = `${tall}px`;
  const pen = canvas.getContext("2d");
  pen.scale(zoom, zoom);
  pen.font = "11px system-ui, sans-serif";
  pen.clearRect(0, 0, wide, tall);
  return { pen, wide, tall, ink: getComputedStyle(canvas).color };
}

export function frame({ pen, wide, tall, ink }, across, up, xe, ye) {
  const at = { l: 46, r: wide - 10, t: 18, b: tall - 32 };
  const px = (x) => at.l + ((x - xe[0]) / (xe[1] - xe[0])) * (at.r - at.l);
  const py = (y) => at.b - ((y - ye[0]) / (ye[1] - ye[0])) * (at.b - at.t);
  pen.fillStyle = ink;
  pen.strokeStyle = ink;
  for (let i = 0; i <= 4; i += 1) {
    const [x, y] = [xe[0] + ((xe[1] - xe[0]) * i) / 4, ye[0] + ((ye[1] - ye[0]) * i) / 4];
    pen.globalAlpha = 0.13;
    pen.beginPath();
    pen.moveTo(px(x), at.t);
    pen.lineTo(px(x), at.b);
    pen.moveTo(at.l, py(y));
    pen.lineTo(at.r, py(y));
    pen.stroke();
    pen.globalAlpha = 0.75;
    pen.textAlign = i === 4 ? "right" : "center";
    pen.fillText(short(x), px(x), at.b + 14);
    pen.textAlign = "right";
    pen.fillText(short(y), at.l - 5, py(y) + 4);
  }
  pen.textAlign = "right";
  pen.fillText(across, at.r, at.b + 28);
  pen.textAlign = "left";
  pen.fillText(up, 2, 11);
  pen.globalAlpha = 1;
  return { px, py, at };
}

export function histogram(canvas, name, values, chosen, colour) {
  const on = sized(canvas, 170);
  const pen = on.pen;
  const e = extent(values);
  const bins = new Array(24).fill(0);
  for (const i of chosen)
    if (Number.isFinite(values[i])) bins[Math.min(23, Math.floor(((values[i] - e[0]) / (e[1] - e[0])) * 24))] += 1;
  const top = Math.max(1, ...bins);
  const f = frame(on, name, "faces", e, [0, top]);
  pen.fillStyle = colour;
  bins.forEach((n, k) => {
    const x = f.at.l + (k * (f.at.r - f.at.l)) / 24;
    pen.fillRect(x + 0.5, f.py(n), (f.at.r - f.at.l) / 24 - 1, f.at.b - f.py(n));
  });
  canvas.setAttribute("aria-label", `Histogram of ${name}, ${chosen.length} faces`);
}

export function ced(canvas, all, chosen, most, colours) {
  const on = sized(canvas, 170);
  const pen = on.pen;

  const f = frame(on, "error, %", "share of faces, %", [0, most], [0, 100]);
  all.forEach((values, k) => {
    const sorted = chosen
      .map((i) => values[i])
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    pen.strokeStyle = colours[k];
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(f.px(0), f.py(0));
    let last = 0;
    sorted.forEach((v, n) => {
      if (v > most) return;
      pen.lineTo(f.px(v), f.py((100 * n) / sorted.length));
      last = (100 * (n + 1)) / sorted.length;
      pen.lineTo(f.px(v), f.py(last));
    });
    pen.lineTo(f.px(most), f.py(last));
    pen.stroke();
  });
  canvas.setAttribute("aria-label", `Cumulative error distribution of ${chosen.length} faces`);
}
