/* structure.js: what the structure encodings have in common, for one or two models. Each panel: the N x N cosine
similarities by facial part, a list beside it, and the mean face with the three most similar partners of every
landmark. Pointing at a landmark in one panel also points at the same place in the other. State "selection":
{model, landmark | null} (structure.py: DEFAULTS).
Pure: mostSimilar, fitPoints, structureCaption. */

import { colourMap, matrixImage } from "./colours.js";
import { drawArrow, drawBrackets, drawDots, drawLines, drawTag } from "./draw.js";
import { decodeHalf, nearestPoint, stepPoint } from "./geometry.js";
import { drawScale } from "./legend.js";
import { csv } from "./numbers.js";
import { button, el, frame, theme, tooltip } from "./page.js";
import { saveCanvas, saveFile } from "./save.js";
import { surface } from "./surface.js";

/* The k others most similar to landmark i, most similar first: [{i, v}]. */
export function mostSimilar(values, n, i, k = 3) {
  const found = [];
  for (let j = 0; j < n; j++) if (j !== i) found.push({ i: j, v: values[i * n + j] });
  return found.sort((a, b) => b.v - a.v || a.i - b.i).slice(0, k);
}

/* A view (px, unit) that fits the bounding box of points into w x h with a margin; keeps the aspect. */
export function fitPoints(points, w, h, pad) {
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const side = Math.max(1, Math.min((w - 2 * pad) / (x1 - x0 || 1), (h - 2 * pad) / (y1 - y0 || 1)));
  const left = w / 2 - (side * (x0 + x1)) / 2;
  const top = h / 2 - (side * (y0 + y1)) / 2;
  return {
    side,
    x0: left,
    y0: top,
    px: ([u, v]) => [left + u * side, top + v * side],
    unit: ([x, y]) => [(x - left) / side, (y - top) / side],
  };
}

function structureCaption(meta, at, i, near) {
  const what =
    i == null
      ? "point at a landmark or a row for its nearest encodings"
      : `${meta.models[at].face.label[i]} (${i}) of ${meta.models[at].face.count}: ${near.map((p) => `${meta.models[at].face.label[p.i]} ${p.v.toFixed(2)}`).join(", ")}`;
  return [
    [meta.tensor, true],
    [
      ` · cosine similarity of ${meta.models.map((m) => `${m.face.count} encodings of width ${m.width}`).join(" and of ")} · scale -1 to 1 about 0 · weights of the model, the same for every photograph · float16 · ${what}`,
    ],
  ];
}

const STRUCTURE_STYLE = `
.wb-pair { display: grid; gap: 14px 22px; grid-template-columns: repeat(var(--panels), minmax(0, 1fr)); }
.wb-panel { display: grid; gap: 8px; min-width: 0; align-content: start; }
.wb-panel h3 { margin: 0; font: 600 13px/1.3 var(--st-font, var(--jp-ui-font-family, system-ui, sans-serif)); color: var(--ink); padding: 0; }
.wb .wb-stage.whole { display: block; }
@container (max-width: 700px) { .wb-pair { grid-template-columns: minmax(0, 1fr); } }
`;
const RANKS = [
  { t: 1, width: 3.4, text: "most similar" },
  { t: 0.7, width: 2.2, text: "second" },
  { t: 0.42, width: 1.4, text: "third" },
];
const EDGE = 22;
const LIST = 196;
const FOOT = 32;
const NIGHT = "#0E1118";

export default function mount(host) {
  const page = frame(host, "Structure encodings", STRUCTURE_STYLE);
  const tip = tooltip(page);
  page.strip.remove();
  page.side.remove();
  page.main.parentElement.classList.add("whole");
  let diverging;
  let ranked;
  let panels = [];
  let s;
  let hover = null;
  let closing = [];

  const focusOf = (at) => {
    const f = hover || (s.landmark == null ? null : s);
    if (!f) return null;
    if (f.model === at) return f.landmark;
    const twin = panels[f.model].twin[f.landmark];
    return twin == null || twin < 0 ? null : twin;
  };
  const paint = () => {
    panels.forEach((p) => {
      p.top.paint();
      p.face.paint();
    });
    caption();
  };
  function point(next) {
    const same = next?.model === hover?.model && next?.landmark === hover?.landmark && next?.other === hover?.other;
    hover = next;
    if (!same) paint();
  }
  function pin(model, landmark) {
    const off = landmark == null || (s.model === model && s.landmark === landmark);
    s = { model, landmark: off ? null : landmark };
    hover = null;
    host.set("selection", { ...s });
    paint();
  }
  function caption() {
    const f = hover || s;
    const i = f.landmark;
    const p = panels[f.model];
    page.caption.replaceChildren(
      ...structureCaption(host.meta, f.model, i, i == null ? [] : mostSimilar(p.values, p.n, i)).map(([text, code]) =>
        el(code ? "code" : "span", {}, text),
      ),
    );
  }
  const describe = (p, i) => [
    `${p.scheme.label[i]} · ${i}`,
    "nearest encodings",
    ...mostSimilar(p.values, p.n, i, 5).map((q) => [`${p.scheme.label[q.i]} · ${q.i}`, q.v.toFixed(3)]),
  ];

  /* Matrix and list ------------------------------------------------------------------------------------ */

  const beside = (w) => w >= 470;
  const sideOf = (w) => (beside(w) ? Math.min(w - LIST - 18, 480) : w) - EDGE;
  function drawTop(p, at, ctx, w) {
    const side = sideOf(w);
    const step = side / p.n;
    const f = focusOf(at);
    const look = theme(page.root);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(p.picture, EDGE, EDGE, side, side);
    drawBrackets(ctx, p.scheme, EDGE, EDGE, side, { ink: look.soft, font: look.font });
    if (f != null) {
      const y = EDGE + p.rank[f] * step;
      for (const [colour, wide] of [
        ["rgb(255 255 255 / .9)", 3],
        ["#000", 1.2],
      ]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = wide;
        ctx.strokeRect(EDGE, y, side, step);
      }
      ctx.fillStyle = look.ink;
      ctx.beginPath();
      ctx.moveTo(EDGE - 1, y + step / 2);
      ctx.lineTo(EDGE - 9, y + step / 2 - 5);
      ctx.lineTo(EDGE - 9, y + step / 2 + 5);
      ctx.fill();
      if (hover?.model === at && hover.other != null) {
        ctx.strokeStyle = "#000";
        ctx.lineWidth = 2;
        ctx.strokeRect(EDGE + p.rank[hover.other] * step - 1, y - 1, step + 2, step + 2);
      }
    }
    const [lx, ly, lw] = beside(w)
      ? [EDGE + side + 18, EDGE, w - side - EDGE - 18]
      : [EDGE, EDGE + side + 16, w - EDGE];
    drawList(p, f, ctx, look, lx, ly, lw);
    const bar = Math.min(lw - 12, 190);
    const by = beside(w) ? EDGE + side - 24 : ly + 208;
    drawScale(ctx, lx + 6, by, bar, 9, diverging, -1, 1, {
      ink: look.soft,
      text: "cosine similarity",
      font: look.font,
    });
  }
  /* What is most similar to the landmark in focus; without one, how similar four kinds of pairs are. */
  function drawList(p, f, ctx, look, x, y, w) {
    const rows =
      f == null
        ? p.statistic.map(([text, v]) => [text, v, null])
        : mostSimilar(p.values, p.n, f, 5).map((q) => [p.scheme.label[q.i], q.v, p.scheme.colour[q.i]]);
    ctx.textBaseline = "top";
    ctx.fillStyle = look.ink;
    ctx.font = `600 12px ${look.font}`;
    ctx.fillText(f == null ? "Mean similarity of" : p.scheme.label[f], x, y, w);
    ctx.font = `12px ${look.font}`;
    rows.forEach(([text, v, colour], k) => {
      const top = y + 24 + 34 * k;
      const long = w - 46;
      const zero = x + long * 0.25;
      ctx.fillStyle = look.soft;
      if (colour) {
        ctx.fillStyle = colour;
        ctx.beginPath();
        ctx.arc(x + 4, top + 7, 4, 0, 7);
        ctx.fill();
        ctx.fillStyle = look.ink;
      }
      ctx.fillText(text, x + (colour ? 13 : 0), top, w - 14);
      ctx.fillStyle = look.hair;
      ctx.fillRect(x, top + 17, long, 7);
      const end = zero + v * long * 0.75;
      ctx.fillStyle = diverging.css((v + 1) / 2);
      ctx.fillRect(Math.max(x, Math.min(zero, end)), top + 17, Math.abs(end - zero), 7);
      ctx.strokeStyle = look.faint;
      ctx.lineWidth = 1;
      ctx.strokeRect(Math.max(x, Math.min(zero, end)), top + 17, Math.abs(end - zero), 7);
      ctx.fillStyle = look.soft;
      ctx.fillRect(zero - 0.5, top + 15, 1, 11);
      ctx.fillStyle = look.ink;
      ctx.fillText(v.toFixed(2), x + long + 8, top + 14);
    });
  }

  /* Mean face ------------------------------------------------------------------------------------------ */

  const faceView = (p, w, h) => fitPoints(p.points, w, h - FOOT, 26);
  function drawFace(p, at, ctx, w, h) {
    const view = faceView(p, w, h);
    const f = focusOf(at);
    const rows = f == null ? p.points.map((_, i) => i) : [f];
    ctx.fillStyle = NIGHT;
    ctx.fillRect(0, 0, w, h);
    drawLines(ctx, view, p.points, p.scheme, { alpha: 0.55, width: 1 });
    for (let rank = 2; rank >= 0; rank--) {
      for (const i of rows) {
        const q = mostSimilar(p.values, p.n, i)[rank];
        if (q)
          drawArrow(ctx, view.px(p.points[i]), view.px(p.points[q.i]), {
            colour: ranked.css(RANKS[rank].t),
            width: RANKS[rank].width,
            bend: 0.1,
          });
      }
    }
    const near = new Set(f == null ? [] : mostSimilar(p.values, p.n, f).map((q) => q.i));
    drawDots(ctx, view, p.points, p.scheme, {
      radius: (i) => (i === f || near.has(i) ? 4.5 : 2.6),
      alpha: (i) => (f == null || i === f || near.has(i) ? 1 : 0.7),
      rim: "rgb(255 255 255 / .75)",
    });
    if (f != null) {
      const [x, y] = view.px(p.points[f]);
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(x, y, 6, 0, 7);
      ctx.stroke();
      if (hover == null && s.model === at) {
        ctx.lineWidth = 1.2;
        ctx.beginPath();
        ctx.arc(x, y, 9, 0, 7);
        ctx.stroke();
      }
      drawTag(ctx, `${f}`, x, y, w, h - FOOT);
      if (hover?.model === at && hover.other != null && hover.other !== f)
        drawArrow(ctx, [x, y], view.px(p.points[hover.other]), { colour: "#fff", width: 1.2, bend: 0 });
    }
    ctx.font = "11px system-ui";
    ctx.textBaseline = "middle";
    let x = 16;
    for (const rank of RANKS) {
      ctx.strokeStyle = ranked.css(rank.t);
      ctx.lineWidth = rank.width;
      ctx.beginPath();
      ctx.moveTo(x, h - 16);
      ctx.lineTo(x + 26, h - 16);
      ctx.stroke();
      ctx.fillStyle = "#A9B1BE";
      ctx.fillText(rank.text, x + 32, h - 15.5);
      x += 46 + ctx.measureText(rank.text).width;
    }
  }

  function panel(meta, at) {
    const n = meta.face.count;
    const values = decodeHalf(host.bytes(`similarity.${at}`));
    const { order } = meta.face;
    const rank = [];
    order.forEach((i, place) => {
      rank[i] = place;
    });
    const p = {
      ...meta,
      n,
      values,
      scheme: meta.face,
      rank,
      picture: matrixImage(n, (r, c) => (values[order[r] * n + order[c]] + 1) / 2, diverging),
    };
    const node = el("div", { class: "wb-panel" }, el("h3", {}, meta.title));
    const holder = el("div", { class: "wb-face" });
    p.top = surface(node, {
      label: `${meta.title}: matrix of cosine similarities. Arrow keys move, Enter pins, Escape clears.`,
      ratio: (w) => EDGE + sideOf(w) + (beside(w) ? 4 : 264),
      draw: (ctx, w) => drawTop(p, at, ctx, w),
    });
    node.append(holder);
    p.face = surface(holder, {
      label: `${meta.title}: mean face with the most similar partners. Arrow keys move, Enter pins, Escape clears.`,
      ratio: (w) => Math.min(w * 0.95, 0.5 * w + 190),
      draw: (ctx, w, h) => drawFace(p, at, ctx, w, h),
    });
    const hitFace = (event) => {
      const view = faceView(p, p.face.width, p.face.height);
      const i = nearestPoint(p.points, view.unit(p.face.at(event)), 16 / view.side);
      return i < 0 ? null : { model: at, landmark: i };
    };
    const hitCell = (event) => {
      const [x, y] = p.top.at(event);
      const step = sideOf(p.top.width) / n;
      const [r, c] = [Math.floor((y - EDGE) / step), Math.floor((x - EDGE) / step)];
      return r >= 0 && c >= 0 && r < n && c < n ? { model: at, landmark: order[r], other: order[c] } : null;
    };
    listen(
      p,
      p.face,
      hitFace,
      () => {},
      (key) => ({ model: at, landmark: stepPoint(p.points, focusOf(at), key) }),
    );
    listen(
      p,
      p.top,
      hitCell,
      (event, { landmark, other }) =>
        tip.show(event.clientX, event.clientY, [
          values[landmark * n + other].toFixed(3),
          `${meta.face.label[landmark]} · ${landmark}`,
          `${meta.face.label[other]} · ${other}`,
        ]),
      (key) => {
        const from = [focusOf(at) ?? order[0], hover?.other ?? order[0]];
        const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
        const [landmark, other] = from.map((i, k) => order[Math.min(n - 1, Math.max(0, rank[i] + way[k]))]);
        return { model: at, landmark, other };
      },
    );
    closing.push(p.top.close, p.face.close);
    panels[at] = p;
    return node;
  }
  function listen(p, { canvas }, hit, tell, step) {
    const leave = () => {
      tip.hide();
      point(null);
    };
    canvas.addEventListener("pointermove", (event) => {
      const found = hit(event);
      canvas.style.cursor = found ? "pointer" : "default";
      if (found) tell(event, found);
      else tip.hide();
      point(found);
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const found = hit(event);
      if (found || s.landmark != null) pin(found ? found.model : s.model, found ? found.landmark : null);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        tip.hide();
        pin(s.model, null);
      } else if (event.key === "Enter" || event.key === " ") {
        if (hover) pin(hover.model, hover.landmark);
      } else if (event.key.startsWith("Arrow")) {
        point(step(event.key));
        page.say(
          describe(p, hover.landmark)
            .map((l) => [].concat(l).join(" "))
            .join(", "),
        );
      } else return;
      event.preventDefault();
    });
  }

  function build() {
    closing.forEach((close) => close());
    closing = [];
    panels = [];
    hover = null;
    s = { ...host.get("selection") };
    diverging = colourMap(host.bytes("lut.diverging"));
    ranked = colourMap(host.bytes("lut.cividis"));
    const pair = el("div", { class: "wb-pair" });
    pair.style.setProperty("--panels", host.meta.models.length);
    page.main.replaceChildren(pair);
    host.meta.models.forEach((meta, at) => pair.append(panel(meta, at)));
    page.foot.replaceChildren(
      button("PNG", "save the picture", savePicture),
      button("CSV", "save all similarities", saveValues),
    );
    caption();
  }
  function saveValues() {
    const rows = panels.flatMap((p) =>
      [...p.values].map((v, k) => [p.title, Math.floor(k / p.n), k % p.n, v.toPrecision(5)]),
    );
    saveFile("structure.csv", csv([["model", "landmark", "other", "cosine"], ...rows]), "text/csv");
  }
  function savePicture() {
    const w = 760;
    const top = EDGE + sideOf(w) + 30;
    const canvas = document.createElement("canvas");
    const ctx = canvas.getContext("2d");
    canvas.width = (w + 24) * panels.length;
    canvas.height = top + 520 + 40;
    ctx.fillStyle = theme(page.root).dark ? "#14161a" : "#fff";
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    panels.forEach((p, at) => {
      ctx.save();
      ctx.translate(12 + at * (w + 24), 24);
      ctx.fillStyle = theme(page.root).ink;
      ctx.font = "600 14px system-ui";
      ctx.fillText(p.title, EDGE, -8);
      drawTop(p, at, ctx, w);
      ctx.translate(0, top - 24);
      ctx.beginPath();
      ctx.rect(0, 0, w, 520);
      ctx.clip();
      drawFace(p, at, ctx, w, 520);
      ctx.restore();
    });
    ctx.fillStyle = theme(page.root).ink;
    ctx.font = "12px system-ui";
    ctx.textBaseline = "top";
    ctx.fillText(page.caption.textContent, 12, top + 534, canvas.width - 24);
    saveCanvas("structure.png", canvas);
  }

  build();
  const unwatch = host.watch((what) => {
    if (what === "payload") build();
    else {
      s = { ...host.get("selection") };
      paint();
    }
  });
  return () => {
    unwatch();
    closing.forEach((close) => close());
    page.close();
  };
}
