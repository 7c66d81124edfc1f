/* What the structure encodings have in common, for one or two models. Each panel: the N x N cosine similarities by
facial part, a list beside it, and the mean face with the three most similar partners of every landmark. Pointing at
a landmark in one panel also points at the same place in the other. State "selection": {model, landmark | null}
(structure.py: DEFAULTS). */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { colourMap, matrixImage } from "./colours.js";
import { ARROWS, between, decodeHalf, nearestPoint, stepPoint } from "./geometry.js";
import { el, frame, spoken, theme, tooltip } from "./page.js";
import { saveButtons } from "./sheet.js";
import { drawMeanFace, drawTop, EDGE, faceTall, faceView, sideOf, topTall } from "./structure_drawing.js";
import { mostSimilar, structureFacts } from "./structure_numbers.js";
import { STRUCTURE_STYLE } from "./structure_style.js";
import { surface } from "./surface.js";

const SHEET_FACE = 480; // height of a mean face on the saved sheet

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Structure encodings", STRUCTURE_STYLE);
  const tip = tooltip(page);
  page.strip.remove();
  page.side.remove();
  page.main.parentElement.classList.add("whole");
  let panels = [];
  let s = { ...host.get("selection") };
  let hover = null;

  /* What changes, and who is told ---------------------------------------------------------------------- */

  /* What is in focus in the panel `at`: pointed at or pinned there, or the twin of what is so in the other one. */
  function focusOf(at) {
    const f = hover || s;
    const here = f.model === at;
    const twin = f.landmark == null ? null : panels[f.model].twin[f.landmark];
    return {
      landmark: here ? f.landmark : twin >= 0 ? twin : null,
      other: here && hover ? (hover.other ?? null) : null,
      pinned: here && !hover,
    };
  }
  function pieces() {
    const { model, landmark } = hover || s;
    const { values, n } = panels[model];
    const near = landmark == null ? [] : mostSimilar(values, n, landmark);
    return composeCaption(host.meta.caption, structureFacts(host.meta, model, landmark, near));
  }
  function paint() {
    for (const p of panels) {
      p.top.paint();
      p.mean.paint();
    }
    page.caption.replaceChildren(...captionNodes(pieces()));
  }
  function point(next) {
    const same = ["model", "landmark", "other"].every((key) => next?.[key] === hover?.[key]);
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

  /* Panels ------------------------------------------------------------------------------------------- */

  const name = (p, i) => `${p.face.label[i]} · ${i}`;
  const describe = (p, i) => [
    name(p, i),
    "nearest encodings",
    ...mostSimilar(p.values, p.n, i, 5).map((q) => [name(p, q.i), q.v.toFixed(3)]),
  ];

  function panel(meta, at) {
    const n = meta.face.count;
    const values = decodeHalf(host.bytes(`similarity.${at}`));
    const { order } = meta.face;
    const rank = [];
    order.forEach((i, place) => {
      rank[i] = place;
    });
    const diverging = colourMap(host.bytes("lut.diverging"));
    const ranked = colourMap(host.bytes("lut.cividis"));
    const picture = matrixImage(n, (r, c) => (values[order[r] * n + order[c]] + 1) / 2, diverging);
    const node = el("div", { class: "wb-panel" }, el("h2", {}, meta.title));
    const holder = el("div", { class: "wb-face" });
    const p = { ...meta, n, values, rank, diverging, ranked, picture, node, top: null, mean: null };
    p.top = surface(node, {
      label: `${meta.title}: matrix of cosine similarities. Arrow keys move, Enter pins, Escape clears.`,
      ratio: topTall,
      draw: (ctx, w) => drawTop(ctx, p, focusOf(at), theme(page.root), w),
    });
    node.append(holder);
    p.mean = surface(holder, {
      label: `${meta.title}: mean face with the most similar partners. Arrow keys move, Enter pins, Escape clears.`,
      ratio: faceTall,
      draw: (ctx, w, h) => drawMeanFace(ctx, p, focusOf(at), host.meta.drawing, w, h),
    });
    listenToFace(p, at);
    listenToMatrix(p, at);
    panels[at] = p;
    return node;
  }
  function listenToFace(p, at) {
    const hit = (event) => {
      const view = faceView(p, p.mean.width, p.mean.height);
      const i = nearestPoint(p.points, view.unit(p.mean.at(event)), 16 / view.side);
      return i < 0 ? null : { model: at, landmark: i };
    };
    const step = (key) => ({ model: at, landmark: stepPoint(p.points, focusOf(at).landmark, key) });
    listen(p, p.mean, hit, step);
  }
  function listenToMatrix(p, at) {
    const { order } = p.face;
    const hit = (event) => {
      const step = sideOf(p.top.width) / p.n;
      const [c, r] = p.top.at(event).map((x) => Math.floor((x - EDGE) / step));
      if (r < 0 || c < 0 || r >= p.n || c >= p.n) return null;
      return { model: at, landmark: order[r], other: order[c] };
    };
    const tell = (event, { landmark, other }) => {
      const value = p.values[landmark * p.n + other].toFixed(3);
      tip.show(event.clientX, event.clientY, [value, name(p, landmark), name(p, other)]);
    };
    const step = (key) => {
      const from = [focusOf(at).landmark ?? order[0], hover?.other ?? order[0]];
      const [x, y] = ARROWS[key];
      const [landmark, other] = from.map((i, k) => order[between(p.rank[i] + (k ? x : y), 0, p.n - 1)]);
      return { model: at, landmark, other };
    };
    listen(p, p.top, hit, step, tell);
  }
  function listen(p, { canvas }, hit, step, tell = null) {
    const leave = () => {
      tip.hide();
      point(null);
    };
    canvas.addEventListener("pointermove", (event) => {
      const found = hit(event);
      canvas.style.cursor = found ? "pointer" : "default";
      if (found) tell?.(event, found);
      else tip.hide();
      point(found);
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const found = hit(event);
      if (found) pin(found.model, found.landmark);
      else if (s.landmark != null) pin(s.model, null);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        tip.hide();
        pin(s.model, null);
      } else if (event.key === "Enter" || event.key === " ") {
        if (hover) pin(hover.model, hover.landmark);
      } else if (ARROWS[event.key]) {
        point(step(event.key));
        page.say(spoken(describe(p, hover.landmark)));
      } else return;
      event.preventDefault();
    });
  }

  /* The whole, and what is saved of it ------------------------------------------------------------------- */

  function sheet() {
    const { drawing, stem = "structure" } = host.meta;
    const look = theme(page.root);
    const w = drawing.face;
    const top = topTall(w) + 12;
    return {
      name: stem,
      title: "Structure encodings",
      caption: [captionText(pieces())],
      panels: panels.map((p, at) => ({
        w,
        h: top + SHEET_FACE,
        title: p.title,
        draw: (ctx) => {
          drawTop(ctx, p, focusOf(at), look, w);
          ctx.translate(0, top);
          drawMeanFace(ctx, p, focusOf(at), drawing, w, SHEET_FACE);
        },
      })),
      rows: () => [
        ["model", "landmark", "other", "cosine"],
        ...panels.flatMap((p) =>
          [...p.values].map((v, k) => [p.title, Math.floor(k / p.n), k % p.n, v.toPrecision(5)]),
        ),
      ],
    };
  }
  function clear() {
    for (const p of panels) {
      p.top.close();
      p.mean.close();
    }
    panels = [];
  }
  function build() {
    clear();
    hover = null;
    s = { ...host.get("selection") };
    const pair = el("div", { class: "wb-pair" });
    pair.style.setProperty("--panels", host.meta.models.length);
    page.main.replaceChildren(pair);
    pair.append(...host.meta.models.map(panel));
    page.foot.replaceChildren(...saveButtons(page, host.meta.drawing, sheet));
    paint();
  }

  build();
  const unwatch = host.watch((what) => {
    if (what === "payload") return build();
    s = { ...host.get("selection") };
    paint();
  });
  return () => {
    unwatch();
    clear();
    page.close();
  };
}
