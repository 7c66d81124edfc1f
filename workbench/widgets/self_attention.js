/* self_attention.js: where each place of the face looks, in one or two SSFA models. The rows of the attention matrices are
all here; nothing is asked of Python while the pointer moves. State "selection": {place [x, y] | null, landmark | null,
opacity, scale, mask, points} (self_attention.py: DEFAULTS). Pure: queryAt, cellCentre, leakRows, selfAttentionCaption. */

import { colourMap } from "./colours.js";
import { drawDots, drawLines, drawPhoto } from "./draw.js";
import { decodeHalf, fitFace, nearestPoint } from "./geometry.js";
import { BASE, drawBars, drawCell, drawGrid, drawLegend, gridImage, STRIP, scaledHalf, spanOf } from "./heatmap.js";
import { csv, number } from "./numbers.js";
import { button, el, frame, segmented, slider, theme, toggle, tooltip } from "./page.js";
import { saveCanvas, saveFile } from "./save.js";
import { loadImage, surface } from "./surface.js";

/* The query whose row is shown for a place in [0, 1]: {row, col} of the map and `at`, its index among the rows sent. */
export function queryAt([u, v], { size, every, queries }) {
  const near = (t) => {
    const cell = Math.min(size - 1, Math.max(0, Math.floor(t * size)));
    return Math.min(queries - 1, Math.max(0, Math.round((cell - (every >> 1)) / every)));
  };
  const [qx, qy] = [near(u), near(v)];
  return { row: (every >> 1) + qy * every, col: (every >> 1) + qx * every, at: qy * queries + qx };
}
export const cellCentre = ({ row, col }, size) => [(col + 0.5) / size, (row + 0.5) / size];

/* Leaked mass by facial part, the models' bars beside one another with a gap after each landmark; none (null)
where a landmark lies outside the crop. */
export function leakRows(panels, order) {
  return order.flatMap((i) => [...panels.map((p) => p.leak[i]), 0]);
}

/* pieces [text, isCode]; now: {query, span, outside}. */
export function selfAttentionCaption(p, now, scale) {
  const keys = p.normalise === "softmax" ? "softmax over all keys: a row sums to 1" : "raw products, not normalised";
  return [
    [p.tensor, true],
    [
      ` · query y ${now.query.row}, x ${now.query.col} of ${p.size} × ${p.size}${p.every > 1 ? ` (every ${p.every}th row and column of queries is sent)` : ""} · ${keys}`,
    ],
    [
      ` · scale ${number(now.span.lo)} to ${number(now.span.hi)}, ${scale === "both" ? "the larger of both maps" : "the largest here"} · not smoothed, more opaque where larger, float16`,
    ],
    [
      ` · prior mask of its own landmarks: sigma ${number(p.sigma)}, R ${number(p.radius)} cells, ${Math.round(100 * p.share)} % of the map · beta ${number(p.beta)}`,
    ],
  ];
}

const SELF_ATTENTION_STYLE = `
.wb .wb-stage.whole { display: block; } .wb .wb-stage.whole .wb-side { margin-top: 14px; }
.wb-pair { display: grid; gap: 12px; grid-template-columns: repeat(var(--panels), minmax(0, 1fr)); }
.wb-panel { min-width: 0; } .wb-panel h3 { margin: 0 0 6px; padding: 0; font-size: 13px; font-weight: 600; line-height: 1.35; color: var(--ink); } .wb-panel h3 span { display: block; font-weight: 400; color: var(--soft); font-size: 12px; }
.wb-heading { margin: 0; color: var(--soft); font-size: 12px; display: flex; gap: 4px 18px; flex-wrap: wrap; } .wb-heading b { color: var(--ink); font-weight: 600; }
.wb-heading i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 5px; vertical-align: -1px; }
@container (max-width: 560px) { .wb-pair { grid-template-columns: minmax(0, 1fr); } }
`;
const MODELS = ["#0072B2", "#E69F00"];
const PRIOR = "86 180 233";

export default function mount(host) {
  const page = frame(host, "Self-attention of the face", SELF_ATTENTION_STYLE);
  const tip = tooltip(page);
  const pair = el("div", { class: "wb-pair" });
  const heading = el("p", { class: "wb-heading" });
  page.main.append(pair);
  let data;
  let s;
  let panels = [];
  let image = null;
  let hover = null;
  let spot = null;
  let parts = {};
  let bars = null;
  let chart = null;

  function read() {
    const meta = host.meta;
    const maps = { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.diverging")) };
    data = { meta, face: meta.face, maps };
    s = { ...host.get("selection") };
    panels.forEach((p) => p.face.close());
    pair.replaceChildren();
    pair.style.setProperty("--panels", meta.panels.length);
    page.main.parentElement.classList.toggle("whole", meta.panels.length > 1);
    panels = meta.panels.map(panel);
    loadImage(host.bytes("photo"), (bitmap) => {
      image = bitmap;
      paint();
    });
  }
  const middle = () => {
    const p = panels[0].points;
    const n = p.length;
    return [p.reduce((a, q) => a + q[0], 0) / n, p.reduce((a, q) => a + q[1], 0) / n];
  };
  const place = () => hover ?? s.place ?? (s.landmark != null ? panels[0].points[s.landmark] : null) ?? middle();
  const query = (p) => queryAt(place(), p);
  const mapOf = (p) => {
    const size = p.size * p.size;
    const k = query(p).at;
    return p.values.subarray(k * size, (k + 1) * size);
  };
  function span(p) {
    const all = (s.scale === "both" ? panels : [p]).map((q) => spanOf(mapOf(q)));
    const hi = Math.max(...all.map((a) => a.hi));
    const signed = all.some((a) => a.signed);
    return { lo: signed ? -hi : 0, hi, signed };
  }
  const near = (at, view) => {
    const i = nearestPoint(panels[0].points, at, 9 / view.side);
    return i < 0 ? null : i;
  };

  /* Faces ------------------------------------------------------------------------------------------------------- */

  function panel(meta, at) {
    const p = {
      ...meta,
      values: scaledHalf(host.bytes(`attention.${at}`), meta.unit),
      mask: decodeHalf(host.bytes(`mask.${at}`)),
      crest: decodeHalf(host.bytes(`crest.${at}`)),
      outside: decodeHalf(host.bytes(`outside.${at}`)),
    };
    const node = el("div", { class: "wb-panel" });
    const holder = el("div", { class: "wb-face" });
    p.head = el("h3");
    p.caption = el("p", { class: "wb-caption" });
    node.append(p.head, holder, p.caption);
    pair.append(node);
    p.face = surface(holder, {
      label: `${meta.title}: where a place of the face looks. Arrow keys move the place, Enter pins it, Escape lets go.`,
      ratio: (w) => w + STRIP,
      draw: (ctx, w, h) => drawFace(p, ctx, w, h),
    });
    const view = () => fitFace(p.face.width, p.face.height - STRIP);
    const { canvas } = p.face;
    const on = (event) => {
      const v = view();
      const [x, y] = v.unit(p.face.at(event));
      return x >= 0 && y >= 0 && x < 1 && y < 1 ? [x, y] : null;
    };
    canvas.style.cursor = "crosshair";
    canvas.addEventListener("pointermove", (event) => {
      hover = on(event);
      const i = hover && near(hover, view());
      if (i != null)
        tip.corner(holder, event.clientX, [
          `${data.face.label[i]} · ${i}`,
          ...panels.map((q) => [
            `leaks, ${q.title}`,
            q.leak[i] == null ? "outside the crop" : `${number(100 * q.leak[i])} %`,
          ]),
        ]);
      else tip.hide();
      paint();
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const to = on(event);
      if (to) {
        hover = null;
        pin(to, near(to, view()));
      }
    });
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way) {
        const q = query(p);
        const step = p.every;
        const last = (v) => Math.min(p.size - 1, Math.max(0, v));
        hover = cellCentre({ row: last(q.row + way[1] * step), col: last(q.col + way[0] * step) }, p.size);
        page.say(
          `row ${query(p).row}, column ${query(p).col}, ${panels.map((r) => `${r.title}: ${percent(r.outside[query(r).at])} on the background`).join(", ")}`,
        );
        paint();
      } else if (event.key === "Enter" || event.key === " ") {
        const to = place();
        hover = null;
        pin(to, near(to, view()));
      } else if (event.key === "Escape") {
        hover = null;
        tip.hide();
        pin(null, null);
      } else return;
      event.preventDefault();
    });
    return p;
  }
  const leave = () => {
    tip.hide();
    hover = spot = null;
    paint();
  };
  const percent = (v) => `${(100 * v).toFixed(v < 0.1 ? 1 : 0)} %`;
  function drawFace(p, ctx, w, h) {
    const view = fitFace(w, h - STRIP);
    const now = span(p);
    const q = query(p);
    const { size } = p;
    const map = mapOf(p);
    ctx.fillStyle = BASE;
    ctx.fillRect(0, 0, w, h);
    drawPhoto(ctx, view, image, 0.15);
    drawGrid(ctx, view, gridImage(map, size, size, now, data.maps, true), s.opacity);
    if (s.mask) prior(ctx, view, p);
    if (s.points) {
      drawLines(ctx, view, p.points, data.face, { alpha: 0.35, width: 1, colour: "#fff" });
      drawDots(ctx, view, p.points, data.face, {
        radius: (i) => (i === s.landmark ? 4.5 : 2),
        alpha: 0.9,
        rim: "rgb(255 255 255 / .7)",
      });
    }
    drawCell(ctx, view, [q.row, q.col], size, size);
    const [x, y] = view.px(cellCentre(q, size));
    const pinned = s.place || s.landmark != null;
    if (pinned && !hover) {
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      ctx.arc(x, y, view.side / size + 5, 0, 7);
      ctx.stroke();
    }
    drawLegend(
      ctx,
      w,
      h,
      now,
      data.maps,
      "attention weight",
      null,
      p.normalise === "softmax" && now.hi > 1 / size ** 2
        ? { value: 1 / size ** 2, text: `uniform 1/${size ** 2}` }
        : null,
    );
  }
  /* The mask's Gaussians, and the border of the neighbourhood (where the mask is positive). */
  function prior(ctx, view, p) {
    const { size, mask, crest } = p;
    const cell = view.side / size;
    const on = (r, c) => r >= 0 && c >= 0 && r < size && c < size && mask[r * size + c] > 0;
    ctx.strokeStyle = `rgb(${PRIOR})`;
    ctx.lineWidth = 1.6;
    ctx.beginPath();
    for (let r = 0; r < size; r++)
      for (let c = 0; c < size; c++) {
        if (!on(r, c)) continue;
        const x = view.x0 + c * cell;
        const y = view.y0 + r * cell;
        ctx.fillStyle = `rgb(${PRIOR} / ${0.5 * Math.min(1, crest[r * size + c])})`;
        ctx.fillRect(x, y, cell, cell);
        for (const [dr, dc, a, b] of [
          [-1, 0, [x, y], [x + cell, y]],
          [1, 0, [x, y + cell], [x + cell, y + cell]],
          [0, -1, [x, y], [x, y + cell]],
          [0, 1, [x + cell, y], [x + cell, y + cell]],
        ]) {
          if (!on(r + dr, c + dc)) {
            ctx.moveTo(...a);
            ctx.lineTo(...b);
          }
        }
      }
    ctx.stroke();
  }

  /* Leaked mass ---------------------------------------------------------------------------------------------------- */

  const RIGHT = 46;
  function drawChart(ctx, w, h) {
    const look = theme(page.root);
    const { order, brackets } = data.face;
    const each = panels.length + 1;
    const f = spot ?? s.landmark;
    const at = f == null ? -1 : order.indexOf(f);
    const box = {
      x: RIGHT,
      y: 8,
      w: w - RIGHT - 4,
      h: h - 40,
      look,
      colours: (_, k) =>
        at >= 0 && Math.floor(k / each) !== at ? `${MODELS[k % each] ?? "#000000"}77` : (MODELS[k % each] ?? "#000"),
    };
    bars = drawBars(ctx, [leakRows(panels, order)], box);
    const step = box.w / order.length;
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    ctx.font = `11px ${look.font}`;
    for (const { colour, start, stop, text } of brackets) {
      const x = box.x + start * step + 1;
      const wide = (stop - start) * step - 2;
      ctx.fillStyle = colour;
      ctx.fillRect(x, h - 27, wide, 4);
      ctx.fillStyle = look.soft;
      if (ctx.measureText(text).width < wide + 4) ctx.fillText(text, x + wide / 2, h - 19);
    }
    ctx.textAlign = "left";
    if (at < 0) return;
    ctx.strokeStyle = look.ink;
    ctx.lineWidth = 1.2;
    ctx.strokeRect(box.x + at * step, box.y, step, box.h);
  }
  const barAt = (event) => {
    const k = bars?.at(chart.at(event)[0]);
    return k == null ? null : data.face.order[Math.floor(k / (panels.length + 1))];
  };
  const leakLines = (i) => [
    `${data.face.label[i]} · ${i}`,
    ...panels.map((p) => [p.title, p.leak[i] == null ? "outside the crop" : percent(p.leak[i])]),
  ];
  function makeChart() {
    chart?.close();
    page.side.replaceChildren(heading);
    chart = surface(page.side, {
      label: "Leaked mass of each landmark. Arrow keys move, Enter takes its place, Escape lets go.",
      ratio: (w) => Math.max(170, Math.min(230, w * 0.45)),
      draw: drawChart,
    });
    chart.canvas.style.cursor = "pointer";
    chart.canvas.addEventListener("pointermove", (event) => {
      spot = barAt(event);
      hover = spot == null ? null : panels[0].points[spot];
      if (spot == null) tip.hide();
      else tip.show(event.clientX, event.clientY, leakLines(spot));
      paint();
    });
    chart.canvas.addEventListener("pointerleave", leave);
    chart.canvas.addEventListener("blur", leave);
    chart.canvas.addEventListener("click", (event) => {
      const i = barAt(event);
      if (i != null) {
        hover = spot = null;
        pin(panels[0].points[i], i);
      }
    });
    chart.canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const { order } = data.face;
      if (way) {
        const k = order.indexOf(spot ?? s.landmark ?? order[0]);
        spot = order[Math.min(order.length - 1, Math.max(0, k + way))];
        hover = panels[0].points[spot];
        page.say(
          leakLines(spot)
            .map((l) => [].concat(l).join(" "))
            .join(", "),
        );
        paint();
      } else if ((event.key === "Enter" || event.key === " ") && spot != null) {
        const i = spot;
        hover = spot = null;
        pin(panels[0].points[i], i);
      } else if (event.key === "Escape") {
        hover = spot = null;
        pin(null, null);
      } else return;
      event.preventDefault();
    });
    heading.replaceChildren(
      el(
        "span",
        {},
        el("b", {}, "Leaked mass"),
        " of each landmark: what its neighbourhood's attention spends on the background",
      ),
      ...panels.map((p, k) => {
        const dot = el("i");
        dot.style.background = MODELS[k];
        return el("span", {}, dot, `${p.title}: ${p.mean == null ? "none" : percent(p.mean)} on average`);
      }),
    );
  }

  /* What changes, and who is told ------------------------------------------------------------------------------------ */

  function paint() {
    for (const p of panels) {
      p.face.paint();
      const now = { query: query(p), span: span(p) };
      p.head.replaceChildren(
        p.model,
        el("span", {}, `${p.title} · ${percent(p.outside[now.query.at])} of this place's attention on the background`),
      );
      p.caption.replaceChildren(
        ...selfAttentionCaption(p, now, s.scale).map(([text, code]) => el(code ? "code" : "span", {}, text)),
      );
    }
    chart?.paint();
  }
  function change(values, commit = true) {
    s = { ...s, ...values };
    for (const key of Object.keys(parts)) parts[key].set(s[key]);
    paint();
    if (commit) host.set("selection", { ...s });
  }
  const pin = (to, landmark) => change({ place: to ? to.map((v) => +v.toFixed(4)) : null, landmark });
  function strip() {
    parts = {
      mask: toggle("prior mask", "draw the prior mask and the border of the landmarks' neighbourhood", s.mask, (mask) =>
        change({ mask }),
      ),
      points: toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points })),
      opacity: slider(
        "opacity",
        "opacity of the maps",
        { min: 0, max: 1, step: 0.05, value: s.opacity, format: (v) => `${Math.round(100 * v)} %` },
        (opacity) => change({ opacity }, false),
        (opacity) => change({ opacity }),
      ),
    };
    if (panels.length > 1)
      parts.scale = segmented(
        "scale",
        [
          ["map", "each", "each map's colours reach to its own largest weight"],
          ["both", "both", "one scale for both models"],
        ],
        s.scale,
        (scale) => change({ scale }),
      );
    page.strip.replaceChildren(...Object.values(parts).map((p) => p.node));
    page.foot.replaceChildren(
      button("PNG", "save the picture", savePicture),
      button("CSV", "save the leaked mass", saveLeak),
    );
    page.caption.textContent =
      "Point at a place on the face: the framed cell is the query, the colours are the weights of all keys. Click to pin it.";
  }
  function saveLeak() {
    saveFile(
      "leaked-mass.csv",
      csv([
        ["landmark", "name", ...panels.map((p) => p.model)],
        ...data.face.label.map((name, i) => [i, name, ...panels.map((p) => p.leak[i] ?? "")]),
      ]),
      "text/csv",
    );
  }
  function savePicture() {
    const side = 720;
    const canvas = document.createElement("canvas");
    const ctx = canvas.getContext("2d");
    const look = theme(page.root);
    canvas.width = panels.length * (side + 20) - 20;
    canvas.height = side + STRIP + 340;
    ctx.fillStyle = look.dark ? "#14161a" : "#fff";
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    panels.forEach((p, k) => {
      ctx.save();
      ctx.translate(k * (side + 20), 26);
      ctx.fillStyle = look.ink;
      ctx.font = "600 14px system-ui";
      ctx.fillText(p.head.textContent, 2, -8, side);
      ctx.beginPath();
      ctx.rect(0, 0, side, side + STRIP + 60);
      ctx.clip();
      drawFace(p, ctx, side, side + STRIP);
      ctx.restore();
      ctx.fillStyle = look.soft;
      ctx.font = "11px system-ui";
      ctx.textBaseline = "top";
      ctx.fillText(p.caption.textContent, k * (side + 20), side + STRIP + 32, side);
      ctx.textBaseline = "alphabetic";
    });
    ctx.fillStyle = look.ink;
    ctx.font = "13px system-ui";
    ctx.fillText(heading.textContent, 2, side + STRIP + 76, canvas.width - 4);
    ctx.save();
    ctx.translate(0, side + STRIP + 90);
    drawChart(ctx, canvas.width, 230);
    ctx.restore();
    saveCanvas("self-attention.png", canvas);
  }

  const show = () => {
    read();
    makeChart();
    strip();
    paint();
  };
  show();
  const unwatch = host.watch((what) => {
    if (what === "payload") {
      hover = spot = null;
      show();
    } else change(host.get("selection"), false);
  });
  return () => {
    unwatch();
    panels.forEach((p) => p.face.close());
    chart.close();
    page.close();
  };
}
