/* Where each place of the face looks, in one or two SSFA models. The rows of the attention matrices are all here;
nothing is asked of Python while the pointer moves. State "selection": {place [x, y] | null, landmark | null,
opacity, scale, mask, points} (self_attention.py: DEFAULTS). */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { coverTools } from "./cover_modes.js";
import { ARROWS, between, fitFace, nearestPoint } from "./geometry.js";
import { number } from "./numbers.js";
import { el, frame, segmented, slider, spoken, theme, toggle, tooltip } from "./page.js";
import { RECT_STYLE } from "./rect.js";
import { baselineCell, drawBaseline, drawFace, drawLeak, MODELS } from "./self_attention_drawing.js";
import { cellCentre, selfAttentionFacts } from "./self_attention_numbers.js";
import { selfAttentionState } from "./self_attention_state.js";
import { SELF_ATTENTION_STYLE } from "./self_attention_style.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const percent = (v) => `${(100 * v).toFixed(v < 0.1 ? 1 : 0)} %`;
const leaked = (value) => (value == null ? "outside the crop" : percent(value));

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Self-attention of the face", SELF_ATTENTION_STYLE + RECT_STYLE);
  const tip = tooltip(page);
  const pair = el("div", { class: "wb-pair" });
  const heading = el("p", { class: "wb-heading" });
  page.main.append(pair);
  const sums = el("table", { class: "wb-leaks" });
  page.side.append(heading, sums);
  let v = selfAttentionState(host);
  /** @type {Record<string, any>} */
  let parts = {};
  let bars = null;
  /** @type {any} the occluder, dragged over the first face */
  let cover = null;

  /* What changes, and who is told ------------------------------------------------------------------------ */

  const pieces = (p) => composeCaption(v.meta.caption, selfAttentionFacts(p, v.query(p), v.span(p), v.s.scale));
  const outside = (p) => `${percent(backgroundShare(p))} of this place leaks to the background`;
  function backgroundShare(p) {
    const k = v.query(p).at;
    if (!p.now.moved) return p.now.shares[k];
    let [all, out] = [0, 0];
    p.plain(k).forEach((w, i) => {
      all += Math.abs(w);
      if (!p.now.mask[i]) out += Math.abs(w);
    });
    return all ? out / all : 0;
  }
  function paint() {
    for (const p of v.panels) {
      p.surface.paint();
      p.head.replaceChildren(p.model, el("span", {}, `${p.title} · ${outside(p)}`));
      p.caption.replaceChildren(...captionNodes(pieces(p)));
    }
    if (v.baseline && bare) {
      bare.surface.paint();
      bare.said.textContent = bareWords();
    }
    chart.paint();
  }
  function change(values, commit = true) {
    v.s = { ...v.s, ...values };
    for (const key of Object.keys(parts)) parts[key].set(v.s[key] ?? v.panels[0][key]);
    if ("sigma" in values || "radius" in values) {
      v.settle();
      title();
    }
    paint();
    if (commit) host.set("selection", { ...v.s });
  }
  function pin(place, landmark) {
    v.hover = v.spot = null;
    change({ place: place ? place.map((x) => +x.toFixed(4)) : null, landmark });
  }
  const leave = () => {
    tip.hide();
    v.hover = v.spot = null;
    paint();
  };
  const leakLines = (i) => [`${v.face.label[i]} · ${i}`, ...v.panels.map((p) => [p.title, leaked(p.now.leak[i])])];

  /* Faces ---------------------------------------------------------------------------------------------- */

  function panel(p) {
    const holder = el("div", { class: "wb-face" });
    p.head = el("h2");
    p.caption = el("p", { class: "wb-caption" });
    pair.append(el("div", { class: "wb-panel" }, p.head, holder, p.caption));
    const strip = v.meta.drawing.legend;
    p.surface = surface(holder, {
      label: `${p.title}: where a place of the face looks. Arrow keys move the place, Enter pins it, Escape lets go.`,
      ratio: (w) => w + strip,
      below: () => strip,
      draw: (ctx, w, h) => {
        drawFace(ctx, v, p, w, h);
        if (p === v.panels[0]) cover?.place();
      },
    });
    const { canvas } = p.surface;
    const view = () => fitFace(p.surface.width, p.surface.height - strip);
    if (p === v.panels[0]) {
      const points = () => p.points;
      cover = coverTools({ host, holder, face: p.surface, view, points, landmark: () => v.s.landmark, paint });
    }
    const placeAt = (event) => {
      const [x, y] = view().unit(p.surface.at(event));
      return x >= 0 && y >= 0 && x < 1 && y < 1 ? [x, y] : null;
    };
    const landmarkAt = (place) => {
      const i = nearestPoint(v.points, place, 9 / view().side);
      return i < 0 ? null : i;
    };
    canvas.style.cursor = "crosshair";
    canvas.addEventListener("pointermove", (event) => {
      v.hover = placeAt(event);
      const i = v.hover && landmarkAt(v.hover);
      if (i == null) tip.hide();
      else tip.corner(holder, event.clientX, leakLines(i));
      paint();
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const place = placeAt(event);
      if (place) pin(place, landmarkAt(place));
    });
    canvas.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (arrow) {
        const query = v.query(p);
        const next = (cell, by) => between(cell + by * p.every, 0, p.size - 1);
        v.hover = cellCentre({ row: next(query.row, arrow[1]), col: next(query.col, arrow[0]) }, p.size);
        const { row, col } = v.query(p);
        page.say(spoken([`row ${row}, column ${col}`, ...v.panels.map((r) => `${r.title}: ${outside(r)}`)]));
        paint();
      } else if (event.key === "Enter" || event.key === " ") pin(v.place(), landmarkAt(v.place()));
      else if (event.key === "Escape") {
        tip.hide();
        pin(null, null);
      } else return;
      event.preventDefault();
    });
  }

  /* Leaked mass ------------------------------------------------------------------------------------------ */

  const chart = surface(page.side, {
    label: "Leaked mass of each landmark. Arrow keys move, Enter takes its place, Escape lets go.",
    ratio: (w) => between(w * 0.45, 170, 230),
    draw: (ctx, w, h) => {
      bars = drawLeak(ctx, v, theme(page.root), w, h);
    },
  });
  const barAt = (event) => {
    const k = bars?.at(chart.at(event)[0]);
    return k == null ? null : v.face.order[Math.floor(k / (v.panels.length + 1))];
  };
  function pointAtBar(i) {
    v.spot = i;
    v.hover = i == null ? null : v.points[i];
    paint();
  }
  chart.canvas.style.cursor = "pointer";
  chart.canvas.addEventListener("pointermove", (event) => {
    const i = barAt(event);
    if (i == null) tip.hide();
    else tip.show(event.clientX, event.clientY, leakLines(i));
    pointAtBar(i);
  });
  chart.canvas.addEventListener("pointerleave", leave);
  chart.canvas.addEventListener("blur", leave);
  chart.canvas.addEventListener("click", (event) => {
    const i = barAt(event);
    if (i != null) pin(v.points[i], i);
  });
  chart.canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const { order } = v.face;
    if (by) {
      const k = order.indexOf(v.spot ?? v.s.landmark ?? order[0]);
      pointAtBar(order[between(k + by, 0, order.length - 1)]);
      page.say(spoken(leakLines(v.spot)));
    } else if (event.key === "Enter" || event.key === " ") {
      if (v.spot != null) pin(v.points[v.spot], v.spot);
    } else if (event.key === "Escape") pin(null, null);
    else return;
    event.preventDefault();
  });
  const LEAK = " of each landmark: what its neighbourhood's attention spends on the background";
  const HEADS = ["on average", "by chance", "without its largest cell", "inside the outline", "outside", "prior loss"];
  function account(p) {
    const { account: a } = p.now;
    if (!a) return null;
    const parts = [a.mean, a.chance, a.mean - a.sink, a.inside, a.mean - a.inside].map(percent);
    return [...parts, number(a.loss)];
  }
  const average = (p) => {
    const told = account(p);
    return `${p.title}: ${told ? HEADS.map((head, k) => `${told[k]} ${head}`).join(", ") : "no landmark on the map"}`;
  };
  const ABOUT =
    " By chance: uniform attention over the keys that can be reached. Its largest cell: the one key that takes most " +
    "of it. The outline: the convex hull of the landmarks. Prior loss: Eq. 6, of this face.";
  function title() {
    heading.replaceChildren(el("span", {}, el("b", {}, "Leaked mass"), `${LEAK}.${ABOUT}`));
    const row = (p, k) => {
      const told = account(p) ?? HEADS.map(() => "–");
      const dot = el("i", { style: `background: ${MODELS[k]}` });
      return el("tr", {}, el("th", { scope: "row" }, dot, p.title), ...told.map((text) => el("td", {}, text)));
    };
    const heads = ["", ...HEADS].map((text) => el("th", { scope: "col" }, text));
    sums.replaceChildren(el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...v.panels.map(row)));
  }

  /* Strip, and what is saved ----------------------------------------------------------------------------- */

  function strip() {
    const { s } = v;
    const share = { min: 0, max: 1, step: 0.05, value: s.opacity, format: (x) => `${Math.round(100 * x)} %` };
    const maskTitle = "draw the prior mask and the border of the landmarks' neighbourhood";
    const scales = [
      ["map", "each", "each map's colours reach to its own largest weight"],
      ["both", "both", "one scale for both models"],
    ];
    parts = {
      mask: toggle("prior mask", maskTitle, s.mask, (mask) => change({ mask })),
      points: toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points })),
      opacity: slider(
        "opacity",
        "opacity of the maps",
        share,
        (opacity) => change({ opacity }, false),
        (opacity) => change({ opacity }),
      ),
    };
    if (v.movable()) {
      const moved = (key, text, words, most, step) =>
        slider(
          text,
          words,
          { min: step, max: most, step, value: s[key] ?? v.panels[0][key] },
          (value) => change({ [key]: value, mask: true }, false),
          (value) => change({ [key]: value === v.panels[0][key] ? null : value, mask: true }),
        );
      parts.sigma = moved("sigma", "σ", "sigma of the prior mask, in cells", 3, 0.1);
      parts.radius = moved("radius", "R", "half side of the squares of the prior mask, in cells", 6, 0.5);
    }
    if (v.panels.length > 1) parts.scale = segmented("scale", scales, s.scale, (scale) => change({ scale }));
    page.strip.replaceChildren(...Object.values(parts).map((part) => part.node), ...cover.controls);
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
    page.caption.textContent =
      "Point at a place on the face: the framed cell is the query, the colours are the weights of all keys. " +
      "Click to pin it.";
  }
  function sheet() {
    const { drawing, title, stem = "self-attention" } = v.meta;
    const faces = v.panels.map((p) => ({
      w: drawing.face,
      h: drawing.face + drawing.legend,
      title: `${p.title} · ${outside(p)}`,
      draw: (ctx, w, h) => drawFace(ctx, v, p, w, h),
    }));
    const plain = v.baseline
      ? [
          {
            w: drawing.face,
            h: drawing.face + drawing.legend,
            title: `${v.baseline.title}: its largest heatmap`,
            draw: (ctx, w, h) => drawBaseline(ctx, v, w, h),
          },
        ]
      : [];
    const leak = {
      w: drawing.face,
      h: 300,
      title: "Leaked mass of each landmark",
      draw: (ctx, w, h) => {
        drawLeak(ctx, v, theme(page.root), w, h);
      },
    };
    return {
      name: stem,
      title: `Self-attention, ${title}`,
      panels: [...faces, ...plain, leak],
      caption: [
        ...v.panels.map((p) => `${p.model}: ${captionText(pieces(p))}`),
        ...(v.baseline ? [bareWords()] : []),
        `Leaked mass${LEAK}.${ABOUT}`,
        ...v.panels.map(average),
      ],
      rows: () => [
        ["landmark", "name", ...v.panels.map((p) => p.model)],
        ...v.face.label.map((label, i) => [i, label, ...v.panels.map((p) => p.now.leak[i] ?? "")]),
      ],
    };
  }

  /** @type {any} the panel of the model without attention */
  let bare = null;
  const bareWords = () => {
    const { row, col, value } = baselineCell(v);
    const { size, count, model } = v.baseline;
    return (
      `${model} has no attention between places, so there is no map of where a place looks; shown instead: the ` +
      `largest of its ${count} heatmaps, ${size} × ${size} cells, float16; ${number(value)} at y ${row}, x ${col}`
    );
  };
  function bareFace() {
    const holder = el("div", { class: "wb-face" });
    const said = el("p", { class: "wb-caption" });
    pair.append(
      el("div", { class: "wb-panel" }, el("h2", {}, v.baseline.model, el("span", {}, v.baseline.title)), holder, said),
    );
    const made = surface(holder, {
      label: `${v.baseline.title}: the largest heatmap of a model that has none. Point at a place to compare.`,
      ratio: (w) => w + v.meta.drawing.legend,
      below: () => v.meta.drawing.legend,
      draw: (ctx, w, h) => drawBaseline(ctx, v, w, h),
    });
    made.canvas.style.cursor = "crosshair";
    const placeAt = (event) => {
      const view = fitFace(made.width, made.height - v.meta.drawing.legend);
      const place = view.unit(made.at(event));
      return place.every((t) => t >= 0 && t < 1) ? place : null;
    };
    made.canvas.addEventListener("pointermove", (event) => {
      v.hover = placeAt(event);
      paint();
    });
    made.canvas.addEventListener("pointerleave", leave);
    made.canvas.addEventListener("click", (event) => {
      const place = placeAt(event);
      if (place) pin(place, null);
    });
    return { surface: made, said };
  }
  function faces() {
    pair.replaceChildren();
    const count = v.panels.length + (v.baseline ? 1 : 0);
    pair.style.setProperty("--panels", String(count));
    page.main.parentElement.classList.toggle("whole", count > 1);
    v.panels.forEach(panel);
    bare = v.baseline ? bareFace() : null;
  }
  function show() {
    const shown = v;
    v.under = cover.under;
    cover.arrived();
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      paint();
    });
    title();
    strip();
    paint();
  }
  const close = () => {
    for (const p of v.panels) p.surface.close();
    bare?.surface.close();
  };
  faces();
  show();
  const unwatch = host.watch((what) => {
    if (what !== "payload") {
      cover.arrived();
      return change(host.get("selection"), false);
    }
    const { panels, image } = v;
    const next = selfAttentionState(host);
    if (panels.length === next.panels.length && Boolean(v.baseline) === Boolean(next.baseline)) {
      // The same faces, with other numbers: what is being dragged over them must stay.
      next.panels = panels.map((p, k) => Object.assign(p, { kept: null }, next.panels[k]));
      next.image = image;
      v = next;
    } else {
      cover.stop();
      close();
      v = next;
      faces();
    }
    show();
  });
  return () => {
    unwatch();
    cover.stop();
    close();
    chart.close();
    page.close();
  };
}
