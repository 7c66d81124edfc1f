/* Colour maps and matrices of colours. */

/** A look-up table (256 x RGB): colours of t in [0, 1], entry round(255 t), and all of them in a row. */
export function colourMap(lut) {
  const last = lut.length / 3 - 1;
  const index = (t) => 3 * Math.round(Math.min(1, Math.max(0, t || 0)) * last);
  const rgb = (t) => {
    const i = index(t);
    return [lut[i], lut[i + 1], lut[i + 2]];
  };
  let drawn = null;
  return {
    rgb,
    css: (t) => `rgb(${rgb(t).join(" ")})`,
    strip: () => {
      drawn ??= stripOf(lut);
      return drawn;
    },
  };
}

/* A colour map as a canvas of one row, for legends. */
function stripOf(lut) {
  const canvas = Object.assign(document.createElement("canvas"), { width: lut.length / 3, height: 1 });
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(canvas.width, 1);
  for (let i = 0; i < canvas.width; i++) image.data.set([lut[3 * i], lut[3 * i + 1], lut[3 * i + 2], 255], 4 * i);
  ctx.putImageData(image, 0, 0);
  return canvas;
}

/* A matrix as an n x n pixel canvas, to be scaled with drawImage; t null is left empty. */
export function matrixImage(n, value, map) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(n, n);
  for (let r = 0; r < n; r++)
    for (let c = 0; c < n; c++) {
      const t = value(r, c);
      if (t == null) continue;
      const k = 4 * (r * n + c);
      [image.data[k], image.data[k + 1], image.data[k + 2]] = map.rgb(t);
      image.data[k + 3] = 255;
    }
  ctx.putImageData(image, 0, 0);
  return canvas;
}
