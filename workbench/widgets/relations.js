/* Which landmark listens to which, on the face and as a matrix. All weights are here; nothing is asked of Python while
the pointer moves. State "selection": {kind, stage, layer, head | null, landmark | null, topk, threshold, mode,
direction, own, scale} (relations.py: DEFAULTS). */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { coverTools } from "./cover_modes.js";
import { ARROWS, between, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { number } from "./numbers.js";
import { button, choice, el, frame, glide, segmented, slider, spoken, theme, toggle, tooltip } from "./page.js";
import { RECT_STYLE } from "./rect.js";
import { drawFace, drawMatrix, RIM } from "./relations_drawing.js";
import { effectBar, effectOf, effectWords } from "./relations_heads.js";
import { relationsState } from "./relations_state.js";
import { RELATIONS_STYLE } from "./relations_style.js";
import { pinnedNodes } from "./relations_table.js";
import { largest, partners, relationsFacts, workingLayer } from "./relations_weights.js";
import { roving } from "./roving.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Relations between landmarks", RELATIONS_STYLE + RECT_STYLE);
  const tip = tooltip(page);
  let v = relationsState(host);
  let stopMotion = () => {};
  let playing = null;
  /** @type {Record<string, any>} */
  let parts = {};

  /* What changes, and who is told ---------------------------------------------------------------------- */

  const pieces = () => composeCaption(v.meta.caption, relationsFacts(v.meta, v.s, v.most(), v.focus()));
  function paint() {
    face.paint();
    matrix.paint();
    page.caption.replaceChildren(...captionNodes(pieces()));
    pinned.replaceChildren(...pinnedNodes(v, name));
  }
  /* A threshold above every weight of this map would draw nothing, and the slider cannot show it. */
  function clamp() {
    const [stages, layers, heads] = v.kind().shape;
    const { stage, layer, head } = v.s;
    v.s.stage = Math.min(stage, stages - 1);
    v.s.layer = Math.min(layer, layers - 1);
    v.s.head = head == null || head >= heads || heads === 1 ? null : head;
    if (v.s.mode === "heads" && heads === 1) v.s.mode = "lines";
    if (v.s.threshold > v.most()) v.s = { ...v.s, threshold: v.most() };
  }
  function change(values, commit = true) {
    const before = v.s;
    const [stages, , heads] = v.kind().shape;
    v.s = { ...v.s, ...values };
    clamp();
    if (v.s.stage !== before.stage) moveTo(v.meta.points[v.s.stage]);
    const [now, , many] = v.kind().shape;
    if (now !== stages || many > 1 !== heads > 1) strip();
    if (["kind", "stage", "own", "scale"].some((key) => v.s[key] !== before[key])) thumbs();
    sync();
    paint();
    if (commit) host.set("selection", { ...v.s });
  }
  function moveTo(points) {
    stopMotion();
    stopMotion = glide(v.points, points, (now) => {
      v.points = now;
      face.paint();
    });
  }
  function play() {
    clearTimeout(playing);
    const last = v.kind().shape[0] - 1;
    const next = (stage) => {
      change({ stage }, stage === last);
      if (stage < last) playing = setTimeout(() => next(stage + 1), 1000);
    };
    next(0);
  }
  const name = (i) => `${v.face.label[i]} · ${i}`;
  const pin = (i) => change({ landmark: i === v.s.landmark ? null : i });
  function describe(i) {
    const { direction, own } = v.s;
    const list = partners(v.weights(), v.n, i, { direction, topk: 5, threshold: 0, own });
    return [
      name(i),
      `${direction === "query" ? "listens most to" : "is heard most by"}${own ? "" : ", other than itself"}`,
      ...list.map((e) => [name(direction === "query" ? e.k : e.q), number(e.w)]),
    ];
  }
  /** @param {number[]} pair */
  function pairText([q, k]) {
    const w = v.weights()[q * v.n + k];
    const even = v.meta.signed ? [] : [["against uniform", `${number(w * v.n)} ×`]];
    return [number(w), ["query", name(q)], ["key", name(k)], ...even];
  }

  /* Face ---------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  const pinned = el("div", { class: "wb-pinned" });
  page.main.append(holder, pinned);
  const face = surface(holder, {
    label: "Face with the relations between its landmarks. Arrow keys move, Enter pins, Escape clears.",
    ratio: (w) => w + v.meta.drawing.legend,
    below: () => v.meta.drawing.legend,
    draw: (ctx, w, h) => {
      drawFace(ctx, v, w, h);
      cover.place();
    },
  });
  const cover = coverTools({
    host,
    holder,
    face,
    view: () => fitFace(face.width, face.height - v.meta.drawing.legend),
    points: () => v.points,
    landmark: () => v.s.landmark,
    paint: () => face.paint(),
  });
  const hit = (event) => {
    const view = fitFace(face.width, face.height - v.meta.drawing.legend);
    const i = nearestPoint(v.points, view.unit(face.at(event)), 16 / view.side);
    return i < 0 ? null : i;
  };
  face.canvas.addEventListener("pointermove", (event) => {
    const i = hit(event);
    face.canvas.style.cursor = i == null ? "default" : "pointer";
    if (i == null) tip.hide();
    else tip.corner(holder, event.clientX, describe(i));
    if (i === v.hover) return;
    v.hover = i;
    paint();
  });
  const leave = () => {
    tip.hide();
    v.hover = v.cell = null;
    paint();
  };
  face.canvas.addEventListener("pointerleave", leave);
  face.canvas.addEventListener("blur", leave);
  face.canvas.addEventListener("click", (event) => {
    const i = hit(event);
    if (i != null) pin(i);
    else if (v.s.landmark != null) change({ landmark: null });
  });
  face.canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      tip.hide();
      v.hover = v.cell = null;
      change({ landmark: null });
    } else if (event.key === "Enter" || event.key === " ") {
      const i = v.focus();
      v.hover = null;
      if (i != null) change({ landmark: i });
    } else if (ARROWS[event.key]) {
      v.hover = stepPoint(v.points, v.focus(), event.key);
      page.say(spoken(describe(v.hover)));
      paint();
    } else return;
    event.preventDefault();
  });

  /* Matrix -------------------------------------------------------------------------------------------- */

  const matrix = surface(page.side, {
    label:
      "Matrix of attention weights, rows are queries, columns are keys. Arrow keys move, Enter pins, Escape clears.",
    ratio: 1,
    draw: (ctx, w) => drawMatrix(ctx, v, theme(page.root), w),
  });
  const cellAt = (event) => {
    const step = (matrix.width - RIM) / v.n;
    const [c, r] = matrix.at(event).map((x) => Math.floor((x - RIM) / step));
    return r >= 0 && c >= 0 && r < v.n && c < v.n ? [v.face.order[r], v.face.order[c]] : null;
  };
  /* A bracket beside the matrix stands for the landmarks of its part. */
  const bracketAt = (event) => {
    const [x, y] = matrix.at(event);
    const at = y < RIM && x >= RIM ? x : x < RIM && y >= RIM ? y : -1;
    const i = Math.floor(((at - RIM) * v.n) / (matrix.width - RIM));
    return v.face.brackets.find((b) => i >= b.start && i < b.stop)?.part ?? null;
  };
  const pinCell = (cell) => pin(cell[v.s.direction === "query" ? 0 : 1]);
  matrix.canvas.addEventListener("pointermove", (event) => {
    const next = cellAt(event);
    matrix.canvas.style.cursor = next || !bracketAt(event) ? "default" : "pointer";
    if (next) tip.show(event.clientX, event.clientY, pairText(next));
    else tip.hide();
    if (String(next) === String(v.cell)) return;
    v.cell = next;
    paint();
  });
  matrix.canvas.addEventListener("pointerleave", leave);
  matrix.canvas.addEventListener("blur", leave);
  matrix.canvas.addEventListener("click", (event) => {
    const cell = cellAt(event);
    const part = bracketAt(event);
    if (cell) pinCell(cell);
    else if (part) change({ part: part === v.s.part ? "" : part });
  });
  matrix.canvas.addEventListener("keydown", (event) => {
    const { order } = v.face;
    const arrow = ARROWS[event.key];
    if (event.key === "Escape") {
      v.cell = null;
      change({ landmark: null });
    } else if (event.key === "Enter" && v.cell) pinCell(v.cell);
    else if (arrow) {
      const from = v.cell || [order[0], order[0]];
      v.cell = from.map((i, k) => order[between(order.indexOf(i) + arrow[1 - k], 0, v.n - 1)]);
      page.say(spoken(pairText(v.cell)));
      paint();
    } else return;
    event.preventDefault();
  });

  /* Thumbnails of every layer and head ----------------------------------------------------------------- */

  const grid = el("div", { class: "wb-thumbs", role: "group", "aria-label": "Layers and heads" });
  page.side.append(grid);
  const stopRoving = roving(grid, () => (v.kind().shape[2] > 1 ? v.kind().shape[2] + 1 : 1));
  function thumb(layer, head) {
    const which = `layer ${layer + 1}, ${head == null ? "mean of heads" : `head ${head + 1}`}`;
    const effect = effectOf(v.meta.heads, v.s, layer, head);
    const does = effect ? `, knocked out: ${effect.words}` : "";
    const title = `${which}, largest weight ${number(largest(v.weights(layer, head), v.n, v.s.own))}${does}`;
    const canvas = el("canvas", { width: v.n, height: v.n, "aria-hidden": "true" });
    canvas.getContext("2d").drawImage(v.picture(layer, head), 0, 0);
    const onclick = () => change({ layer, head });
    const attributes = { type: "button", "aria-label": title, title, "data-at": `${layer} ${head}`, onclick };
    return el("button", attributes, canvas, effectBar(effect));
  }
  function thumbs() {
    const [, layers, heads] = v.kind().shape;
    const columns = heads > 1 ? [...Array(heads).keys(), null] : [null];
    const title = (h) => (heads === 1 ? "" : h == null ? "mean" : heads > 5 ? `${h + 1}` : `head ${h + 1}`);
    grid.style.gridTemplateColumns = `auto repeat(${columns.length}, minmax(0, 1fr))`;
    grid.replaceChildren(el("span"), ...columns.map((h) => el("span", {}, title(h))));
    for (let layer = 0; layer < layers; layer++) {
      grid.append(el("span", { class: "row" }, rowName(layer)), ...columns.map((head) => thumb(layer, head)));
    }
    const told = effectWords(v.meta.heads, v.s);
    if (told) grid.append(el("span", { class: "told" }, told));
    mark();
  }
  const rowName = (layer) => `layer ${layer + 1}${v.kind().idle.includes(layer) ? ", idle" : ""}`;
  function mark() {
    for (const b of grid.querySelectorAll("button")) {
      b.setAttribute("aria-pressed", String(b.dataset.at === `${v.s.layer} ${v.s.head}`));
    }
  }

  /* Strip --------------------------------------------------------------------------------------------- */

  function strip() {
    const { kinds } = v.meta;
    const [stages, , , n] = v.kind().shape;
    const { s } = v;
    const stageChoices = [...Array(stages).keys()].map((k) => [k, `${k + 1}`, `stage ${k + 1} of ${stages}`]);
    const modes = [
      ["lines", "lines", "lines to the strongest partners"],
      ["best", "best partner", "one arrow from each landmark to the key it weighs most, other than itself"],
      ...(v.kind().shape[2] > 1 ? [["heads", "heads", "the lines of every head, one colour each"]] : []),
    ];
    const directions = [
      ["query", "query", "what it listens to"],
      ["key", "key", "who listens to it"],
    ];
    const scales = [
      ["map", "this", "colours reach to the largest weight of this map"],
      ["all", "all maps", "one scale for all stages, layers and heads"],
    ];
    const count = { min: 0, max: n, step: 1, value: s.topk, format: (k) => (k ? String(k) : "all") };
    const weight = { min: 0, max: 1, step: 0.001, value: s.threshold };
    const set = (key) => (value) => change({ [key]: value });
    const move = (key) => (value) => change({ [key]: value }, false);
    const atStage = (stage) => {
      clearTimeout(playing);
      change({ stage });
    };
    parts = {
      kind: segmented(
        "attention",
        kinds.map((k) => [k.name, k.title, `${k.title}: ${k.name}`]),
        s.kind,
        (kind) => change({ kind, layer: workingLayer(kinds, kind, v.s.layer) }),
      ),
      stage: segmented("stage", stageChoices, s.stage, atStage),
      mode: segmented("", modes, s.mode, set("mode")),
      direction: segmented("as", directions, s.direction, set("direction")),
      topk: slider("top", "how many partners of each landmark", count, move("topk"), set("topk")),
      threshold: slider("from", "smallest weight that is drawn", weight, move("threshold"), set("threshold")),
      part: choice("part", { "": "all", ...v.meta.parts }, s.part, set("part")),
      own: toggle("own weight", "draw the weight of a landmark on itself", s.own, set("own")),
      scale: segmented("scale", scales, s.scale, set("scale")),
    };
    page.strip.replaceChildren(...Object.values(parts).map((part) => part.node), ...cover.controls);
    if (stages > 1) parts.stage.node.after(button("▶", "play the stages", play));
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
    sync();
  }
  function sync() {
    const high = v.most();
    parts.threshold.range(0, high, high / 200);
    for (const key of Object.keys(parts)) parts[key].set(v.s[key]);
    parts.topk.node.inert = v.s.mode === "best";
    parts.topk.node.style.opacity = v.s.mode === "best" ? 0.4 : 1;
    mark();
  }
  function sheet() {
    const { kind, stage, layer, head } = v.s;
    const { title, drawing, stem = "relations" } = v.meta;
    return {
      name: `${stem}-${kind}-stage${stage + 1}-layer${layer + 1}-${head == null ? "mean" : `head${head + 1}`}`,
      title,
      caption: [captionText(pieces())],
      panels: [
        { w: drawing.face, h: drawing.face + drawing.legend, draw: (ctx, w, h) => drawFace(ctx, v, w, h) },
        { w: drawing.face, h: drawing.face, draw: (ctx, w) => drawMatrix(ctx, v, theme(page.root), w) },
      ],
      rows: () => [
        ["query", "query_name", "key", "key_name", "weight", ...(v.s.mode === "heads" ? ["head"] : [])],
        ...v
          .edges()
          .reverse()
          .map((e) => [
            ...[e.q, v.face.label[e.q], e.k, v.face.label[e.k], e.w.toPrecision(6)],
            ...(e.h == null ? [] : [e.h + 1]),
          ]),
      ],
    };
  }

  /* The threshold that was lowered to what can be drawn is told to Python. */
  function tell() {
    if (v.s.threshold !== host.get("selection").threshold) host.set("selection", { ...v.s });
  }
  function show() {
    const shown = v;
    v.under = cover.under;
    cover.arrived();
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      face.paint();
    });
    clamp();
    strip();
    thumbs();
    paint();
    tell();
  }
  show();
  const unwatch = host.watch((what) => {
    if (what === "payload") {
      const { image } = v;
      v = relationsState(host);
      v.image = image; // the old picture stays until the new one is ready
      show();
    } else {
      cover.arrived();
      change(host.get("selection"), false);
      tell();
    }
  });
  return () => {
    unwatch();
    stopRoving();
    stopMotion();
    clearTimeout(playing);
    cover.stop();
    face.close();
    matrix.close();
    page.close();
  };
}
