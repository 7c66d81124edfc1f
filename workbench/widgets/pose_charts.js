/* The head's axes on a face, and beside it the angles, the confidence and the channels that pose is read from. */

import { number } from "./numbers.js";

const LONG = 0.27; // of an axis, in parts of the face's side
const COLOURS = ["#0072B2", "#009E73", "#E69F00"]; // image right, up, where the nose points
export const ANGLE_COLOURS = COLOURS;

/* The axes from `meta.origin`, the ones that point away from the camera first, without perspective. */
export function drawAxes(ctx, meta, view, scale = 1) {
  const [x0, y0] = view.px(meta.origin);
  const order = [0, 1, 2].sort((a, b) => meta.axes[b][2] - meta.axes[a][2]);
  ctx.save();
  ctx.lineCap = "round";
  for (const k of order) {
    const [x, y] = meta.axes[k].slice(0, 2).map((d) => d * LONG * view.side);
    const length = Math.hypot(x, y);
    for (const { colour, width } of [
      { colour: "rgb(0 0 0 / .65)", width: 7 * scale },
      { colour: COLOURS[k], width: 4.5 * scale },
    ]) {
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(x0, y0);
      ctx.lineTo(x0 + x, y0 + y);
      ctx.stroke();
      if (length < 14 * scale) {
        // An axis that points at the camera is a dot.
        ctx.beginPath();
        ctx.arc(x0 + x, y0 + y, width * 0.9, 0, 7);
        ctx.fill();
        continue;
      }
      const [ux, uy] = [x / length, y / length];
      const head = 10 * scale + width * 0.4;
      ctx.beginPath();
      ctx.moveTo(x0 + x + ux * head * 0.7, y0 + y + uy * head * 0.7);
      for (const side of [1, -1])
        ctx.lineTo(
          x0 + x - ux * head * 0.5 + side * uy * head * 0.6,
          y0 + y - uy * head * 0.5 - side * ux * head * 0.6,
        );
      ctx.closePath();
      ctx.fill();
    }
  }
  ctx.restore();
}

/* One line an angle, from -90 to 90 degrees. */
const ROW = 46;
/** @type {import("./board.js").Chart} */
export const angleChart = {
  key: "angles",
  label: "Yaw, pitch and roll in degrees",
  title: () => "Head pose in degrees",
  tall: () => 3 * ROW + 8,
  draw(ctx, v, look, w) {
    const ends = {
      yaw: ["image left", "image right"],
      pitch: ["down", "up"],
      roll: ["counter-clockwise", "clockwise"],
    };
    const left = 8;
    const x = (degrees) => left + ((Math.max(-90, Math.min(90, degrees)) + 90) / 180) * (w - 2 * left);
    v.meta.names.forEach((name, k) => {
      const y = 28 + ROW * k;
      const angle = v.meta.angles[k];
      ctx.fillStyle = look.hair;
      ctx.fillRect(left, y - 2, w - 2 * left, 4);
      for (const tick of [-90, -60, -30, 0, 30, 60, 90])
        ctx.fillRect(x(tick) - 0.5, y - (tick ? 5 : 8), 1, tick ? 10 : 16);
      ctx.fillStyle = look.ink;
      ctx.beginPath();
      ctx.arc(x(angle), y, 6, 0, 7);
      ctx.fill();
      ctx.font = `600 12px ${look.font}`;
      ctx.textBaseline = "alphabetic";
      ctx.textAlign = "center";
      ctx.fillText(`${name} ${number(angle)}°`, Math.max(44, Math.min(w - 44, x(angle))), y - 11);
      ctx.font = `11px ${look.font}`;
      ctx.fillStyle = look.soft;
      ctx.textAlign = "left";
      ctx.fillText(`← ${ends[name][0]}`, left, y + 17);
      ctx.textAlign = "right";
      ctx.fillText(`${ends[name][1]} →`, w - left, y + 17);
      ctx.textAlign = "left";
    });
  },
};

/** @type {import("./board.js").Chart} */
export const confidenceChart = {
  key: "confidence",
  label: "Face confidence against the threshold for tracking",
  title: (v) => {
    const { confidence, threshold } = v.meta;
    const then = confidence > threshold ? "a video would keep tracking" : "a video would search for the face anew";
    return `Face confidence ${number(confidence)}: ${then}`;
  },
  tall: () => 42,
  draw(ctx, v, look, w) {
    const { confidence, threshold } = v.meta;
    const x = (p) => 8 + p * (w - 16);
    ctx.fillStyle = look.hair;
    ctx.fillRect(x(0), 6, x(1) - x(0), 12);
    ctx.fillStyle = confidence > threshold ? "#009E73" : "#D55E00";
    ctx.fillRect(x(0), 6, x(confidence) - x(0), 12);
    ctx.fillStyle = look.ink;
    ctx.fillRect(x(threshold) - 1, 2, 2, 20);
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    ctx.fillStyle = look.soft;
    ctx.textAlign = "center";
    ctx.fillText(`tracked above ${number(threshold)}`, x(threshold), 26);
    ctx.textAlign = "left";
    ctx.fillText("0", x(0), 26);
    ctx.textAlign = "right";
    ctx.fillText("1", x(1), 26);
    ctx.textAlign = "left";
  },
};

const across = (v) => (v.channels > 30 ? 8 : 6);
const gridOf = (v, w) => {
  const columns = across(v);
  return { columns, step: Math.min(w / columns, 64), rows: Math.ceil(v.channels / columns) };
};
/** @type {import("./board.js").Chart} */
export const channelChart = {
  key: "channels",
  label: "The channels of the features after the heatmap",
  title: (v) => `${v.channels} channels after × H, each to its own largest value before`,
  tall(v, w) {
    const { step, rows } = gridOf(v, w);
    return rows * step + 4;
  },
  draw(ctx, v, look, w) {
    const { columns, step } = gridOf(v, w);
    ctx.save();
    ctx.imageSmoothingEnabled = false;
    for (let k = 0; k < v.channels; k++) {
      const [x, y] = [(k % columns) * step, Math.floor(k / columns) * step];
      ctx.drawImage(v.picture("after", k, true).image, x, y, step - 3, step - 3);
      if (k !== v.channel()) continue;
      ctx.strokeStyle = look.ink;
      ctx.lineWidth = 2.5;
      ctx.strokeRect(x + 1, y + 1, step - 5, step - 5);
    }
    ctx.restore();
  },
  hit(v, [x, y], w) {
    const { columns, step } = gridOf(v, w);
    const k = Math.floor(y / step) * columns + Math.floor(x / step);
    return x >= 0 && x < columns * step && k >= 0 && k < v.channels ? k : null;
  },
  count: (v) => v.channels,
  across,
  now: (v) => v.s.channel,
  lines: (v, k) => [
    `channel ${k}`,
    ["scale", `${number(v.picture("after", k).span.lo)} to ${number(v.picture("after", k).span.hi)}`],
  ],
  pick: (v, channel) => ({ channel, ...(channel != null && v.s.map === "photo" ? { map: "after" } : {}) }),
};
