/* relations.js: which landmark listens to which, on the face and as a matrix. All weights are here; nothing is asked
of Python while the pointer moves. State "selection": {kind, stage, layer, head | null, landmark | null, topk,
threshold, mode, direction, own, scale} (relations.py: DEFAULTS).
Pure: meanOver, partners, edgesOf, bestPartners, largest, reach, relationsCaption. */

import { colourMap, matrixImage } from "./colours.js";
import { drawArrow, drawBrackets, drawDots, drawLines, drawPhoto, drawTag } from "./draw.js";
import { decodeHalf, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { besideScale, drawScale } from "./legend.js";
import { csv, number } from "./numbers.js";
import { animate, button, el, frame, segmented, slider, theme, toggle, tooltip } from "./page.js";
import { saveFile, saveSheet } from "./save.js";
import { loadImage, surface } from "./surface.js";

/* Mean over the heads of one (stage, layer) block: all is (stage, layer, head, n, n) flat; head null -> the mean. */
export function meanOver(all, [, layers, heads, n], stage, layer, head) {
  const size = n * n;
  const start = (stage * layers + layer) * heads * size;
  if (head != null) return all.subarray(start + head * size, start + (head + 1) * size);
  const out = new Float64Array(size);
  for (let h = 0; h < heads; h++) for (let i = 0; i < size; i++) out[i] += all[start + h * size + i];
  for (let i = 0; i < size; i++) out[i] /= heads;
  return out;
}

/* Partners of landmark i, strongest first: its keys as a query, its queries as a key. topk 0 is all. */
export function partners(w, n, i, { direction = "query", topk = 0, threshold = 0, own = false } = {}) {
  const found = [];
  for (let j = 0; j < n; j++) {
    if (j === i && !own) continue;
    const [q, k] = direction === "query" ? [i, j] : [j, i];
    const weight = w[q * n + k];
    if (weight >= threshold && weight > 0) found.push({ q, k, w: weight });
  }
  found.sort((a, b) => b.w - a.w || a.q - b.q || a.k - b.k);
  return topk ? found.slice(0, topk) : found;
}

/* All lines to draw, weakest first; focus null takes every landmark in turn. */
export function edgesOf(w, n, focus, options) {
  const from = focus == null ? [...Array(n).keys()] : [focus];
  return from.flatMap((i) => partners(w, n, i, options)).sort((a, b) => a.w - b.w);
}

/* One edge a query, to its strongest key other than itself (thesis Fig. 4.6), weakest first. */
export function bestPartners(w, n, threshold = 0) {
  return edgesOf(w, n, null, { topk: 1, threshold });
}

export function largest(w, n, own) {
  let top = 0;
  for (let i = 0; i < w.length; i++) if (w[i] > top && (own || Math.floor(i / n) % n !== i % n)) top = w[i];
  return top;
}

/* The weight that a scale ends at: the largest of the map that is shown, or of all maps of its kind; never 0. */
export const reach = (scale, map, all, n, own) => largest(scale === "all" ? all : map, n, own) || 1;

/* The sentence below the picture, as [text, isCode] pieces. */
export function relationsCaption(meta, s, top, focus) {
  const [stages, , heads, n] = meta.shape;
  const name = meta.tensor.replace("{layer}", s.layer).replace("{kind}", s.kind);
  const whose = focus == null ? "each landmark" : `${meta.face.label[focus]} (${focus})`;
  const best =
    focus == null || s.direction === "query"
      ? `an arrow from ${whose} to the key it weighs most`
      : `arrows to ${whose} from the landmarks that weigh it most`;
  const what =
    s.mode === "best"
      ? `${best}, other than itself`
      : `${s.topk && s.topk < n - !s.own ? `${s.topk} strongest` : "all"} ${s.direction === "query" ? "keys of" : "queries on"} ${whose}${s.own ? "" : " other than itself"}`;
  return [
    [name, true],
    [
      ` · stage ${s.stage + 1} of ${stages} · ${s.head == null ? `mean of ${heads} heads` : `head ${s.head + 1} of ${heads}`} · ${what}`,
    ],
    [s.threshold > 0 ? ` · weights from ${number(s.threshold)} up` : ""],
    [` · scale 0 to ${number(top)}${s.scale === "all" ? ", the largest of all maps" : ", the largest here"}`],
    [s.own ? ` · diagonal ${s.mode === "best" ? "in the matrix" : "drawn as rings"}` : " · diagonal hidden"],
    [" · float16"],
  ];
}

const RELATIONS_STYLE = `
.wb-thumbs { display: grid; gap: 3px; align-items: center; justify-items: stretch; color: var(--soft); font-size: 11px; }
.wb-thumbs span { text-align: center; white-space: nowrap; } .wb-thumbs span.row { text-align: right; padding-right: 4px; }
.wb .wb-thumbs button { padding: 0; min-height: 0; border: 0; border-radius: 3px; background: #3a3d45; overflow: hidden; aspect-ratio: 1; width: 100%; max-width: 50px; justify-self: center; }
.wb .wb-thumbs button:hover { background: #3a3d45; box-shadow: 0 0 0 2px var(--soft); }
.wb .wb-thumbs button[aria-pressed=true] { background: #3a3d45; box-shadow: 0 0 0 2px var(--ground), 0 0 0 4px var(--accent); }
.wb .wb-thumbs button:focus-visible { outline-offset: 4px; }
`;
const WIDEST = 7;
const LEGEND = 50;
const RIM = 34;
const HIDDEN = "#3a3d45";

export default function mount(host) {
  const page = frame(host, "Relations between landmarks", RELATIONS_STYLE);
  const tip = tooltip(page);
  let data;
  let s;
  let image = null;
  let hover = null;
  let cell = null;
  let shownPoints;
  let stopMotion = () => {};
  let playing = 0;
  let parts = [];

  function read() {
    const meta = host.meta;
    const all = {};
    for (const kind of meta.kinds) all[kind] = decodeHalf(host.bytes(`attention.${kind}`));
    data = {
      meta,
      face: meta.face,
      n: meta.shape[3],
      all,
      map: colourMap(host.bytes("lut.inferno")),
      kept: new Map(),
      tops: {},
    };
    s = { ...host.get("selection") };
    shownPoints = meta.points[s.stage];
    loadImage(host.bytes("photo"), (bitmap) => {
      image = bitmap;
      face.paint();
    });
  }
  const once = (key, make) => {
    if (!data.kept.has(key)) data.kept.set(key, make());
    return data.kept.get(key);
  };
  const weights = (layer = s.layer, head = s.head) =>
    once(`w ${s.kind} ${s.stage} ${layer} ${head}`, () =>
      meanOver(data.all[s.kind], data.meta.shape, s.stage, layer, head),
    );
  const top = (layer = s.layer, head = s.head) =>
    once(`top ${s.kind} ${s.own} ${s.scale === "all" || [s.stage, layer, head]}`, () =>
      reach(s.scale, weights(layer, head), data.all[s.kind], data.n, s.own),
    );
  const picture = (layer = s.layer, head = s.head) =>
    once(`img ${s.kind} ${s.stage} ${layer} ${head} ${s.own} ${s.scale}`, () => {
      const w = weights(layer, head);
      const high = top(layer, head);
      const { order } = data.face;
      return matrixImage(
        data.n,
        (r, c) => (r === c && !s.own ? null : w[order[r] * data.n + order[c]] / high),
        data.map,
      );
    });
  const focus = () => hover ?? (cell ? cell[s.direction === "query" ? 0 : 1] : s.landmark);
  const options = () => ({ direction: s.direction, topk: s.topk, threshold: s.threshold, own: s.own });
  function edges() {
    if (s.mode === "best") {
      const list = bestPartners(weights(), data.n, s.threshold);
      const f = focus();
      return f == null ? list : list.filter((e) => (s.direction === "query" ? e.q : e.k) === f);
    }
    return edgesOf(weights(), data.n, focus(), options());
  }

  /* Drawing ------------------------------------------------------------------------------------------- */

  function drawFace(ctx, w, h) {
    const view = fitFace(w, h - LEGEND);
    const { face: scheme, map } = data;
    const high = top();
    const f = focus();
    const list = edges();
    ctx.fillStyle = "#1c1e24";
    ctx.fillRect(0, 0, w, h);
    drawPhoto(ctx, view, image, 0.45);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, 0, w, h - LEGEND);
    ctx.clip();
    drawLines(ctx, view, shownPoints, scheme, { alpha: f == null ? 0.5 : 0.3, width: 1 });
    for (const e of list) stroke(ctx, view, e, high, f != null);
    const near = new Set([f, ...list.flatMap((e) => (f == null ? [] : [e.q, e.k])), ...(cell || [])]);
    drawDots(ctx, view, shownPoints, scheme, {
      radius: (i) => (i === f ? 0 : near.has(i) ? 3.6 : 2.4),
      alpha: (i) => (f == null || near.has(i) ? 1 : 0.5),
      rim: "rgb(255 255 255 / .8)",
    });
    if (cell && cell[0] !== cell[1]) {
      const pair = { q: cell[0], k: cell[1] };
      drawArrow(ctx, view.px(shownPoints[pair.q]), view.px(shownPoints[pair.k]), {
        colour: "#fff",
        width: 1.2,
        head: 9,
      });
    }
    for (const i of new Set([f, ...(cell || [])])) if (i != null) ring(ctx, view, i, i === s.landmark && hover == null);
    if (f != null && !cell) {
      const [x, y] = view.px(shownPoints[f]);
      drawTag(ctx, `${scheme.label[f]} · ${f}`, x, y, w, h - LEGEND);
    }
    ctx.restore();
    ctx.font = "11px system-ui";
    const [wide, text] = besideScale(
      w,
      ["attention weight, line width and colour", "attention weight"],
      (t) => ctx.measureText(t).width,
    );
    drawScale(ctx, 18, h - 26, wide, 8, map, 0, high, {
      wedge: WIDEST,
      mark: high > 1 / data.n ? { value: 1 / data.n, text: `uniform 1/${data.n}` } : null,
    });
    ctx.fillStyle = "#b9bdc4";
    ctx.textBaseline = "middle";
    ctx.fillText(text, 18 + wide + 16, h - 22);
  }
  function stroke(ctx, view, e, high, cased) {
    const t = Math.min(1, e.w / high);
    const [a, b] = [view.px(shownPoints[e.q]), view.px(shownPoints[e.k])];
    const width = Math.max(0.7, WIDEST * t);
    if (e.q === e.k) {
      ctx.strokeStyle = data.map.css(t);
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.arc(...a, 7 + width / 2, 0, 7);
      ctx.stroke();
      return;
    }
    if (cased) drawArrow(ctx, a, b, { colour: "rgb(255 255 255 / .45)", width: width + 1.6 });
    drawArrow(ctx, a, b, { colour: data.map.css(t), width, head: s.mode === "best" ? 6 + 1.6 * width : 0 });
  }
  function ring(ctx, view, i, pinned) {
    const [x, y] = view.px(shownPoints[i]);
    ctx.beginPath();
    ctx.arc(x, y, 5, 0, 7);
    ctx.fillStyle = data.face.colour[i];
    ctx.fill();
    ctx.lineWidth = 2;
    ctx.strokeStyle = "#fff";
    ctx.stroke();
    if (pinned) {
      ctx.beginPath();
      ctx.arc(x, y, 8.5, 0, 7);
      ctx.lineWidth = 1.2;
      ctx.stroke();
    }
  }
  function drawMatrix(ctx, w) {
    const side = w - RIM;
    const { n, face: scheme } = data;
    const look = theme(page.root);
    const f = focus();
    const step = side / n;
    ctx.imageSmoothingEnabled = false;
    ctx.fillStyle = HIDDEN;
    ctx.fillRect(RIM, RIM, side, side);
    ctx.drawImage(picture(), RIM, RIM, side, side);
    drawBrackets(ctx, scheme, RIM, RIM, side, { ink: look.soft, font: look.font });
    ctx.fillStyle = look.soft;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    ctx.fillText("key →", RIM, 0);
    ctx.save();
    ctx.translate(0, RIM);
    ctx.rotate(-Math.PI / 2);
    ctx.textAlign = "right";
    ctx.fillText("← query", 0, 0);
    ctx.restore();
    const rank = once("rank", () => {
      const r = [];
      scheme.order.forEach((i, at) => {
        r[i] = at;
      });
      return r;
    });
    if (f != null) {
      const at = RIM + rank[f] * step;
      const rows = s.direction === "query";
      for (const [colour, wide] of [
        ["#000", 3],
        ["#fff", 1.3],
      ]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = wide;
        if (rows) ctx.strokeRect(RIM, at - 0.75, side - 0.75, step + 1.5);
        else ctx.strokeRect(at - 0.75, RIM, step + 1.5, side - 0.75);
      }
      ctx.fillStyle = look.ink;
      ctx.beginPath();
      const mid = at + step / 2;
      const tri = [
        [RIM - 1, mid],
        [RIM - 8, mid - 4.5],
        [RIM - 8, mid + 4.5],
      ];
      tri.forEach(([x, y], k) => ctx[k ? "lineTo" : "moveTo"](...(rows ? [x, y] : [y, x])));
      ctx.fill();
    }
    if (cell) {
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 2;
      ctx.strokeRect(RIM + rank[cell[1]] * step - 1.5, RIM + rank[cell[0]] * step - 1.5, step + 3, step + 3);
    }
  }

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function paint() {
    face.paint();
    matrix.paint();
    caption();
  }
  function caption() {
    page.caption.replaceChildren(
      ...relationsCaption(data.meta, s, top(), focus()).map(([text, code]) => el(code ? "code" : "span", {}, text)),
    );
  }
  /* A threshold above every weight of this map would draw nothing, and the slider cannot show it. */
  function clamp() {
    if (s.threshold <= top()) return false;
    s = { ...s, threshold: top() };
    return true;
  }
  function change(values, commit = true) {
    const before = s;
    s = { ...s, ...values };
    clamp();
    if (s.stage !== before.stage) glide(data.meta.points[s.stage]);
    if (["kind", "stage", "own", "scale"].some((key) => s[key] !== before[key])) thumbs();
    sync();
    paint();
    if (commit) host.set("selection", { ...s });
  }
  function glide(target) {
    const start = shownPoints;
    stopMotion();
    stopMotion = animate(380, (t) => {
      shownPoints = start.map(([x, y], i) => [x + (target[i][0] - x) * t, y + (target[i][1] - y) * t]);
      face.paint();
    });
  }
  function play() {
    clearTimeout(playing);
    const next = (stage) => {
      change({ stage }, stage === data.meta.shape[0] - 1);
      if (stage + 1 < data.meta.shape[0]) playing = setTimeout(() => next(stage + 1), 1000);
    };
    next(0);
  }
  function describe(i) {
    const list = partners(weights(), data.n, i, { ...options(), topk: 5, threshold: 0 });
    return [
      `${data.face.label[i]} · ${i}`,
      `${s.direction === "query" ? "listens most to" : "is heard most by"}${s.own ? "" : ", other than itself"}`,
      ...list.map((e) => {
        const j = s.direction === "query" ? e.k : e.q;
        return [`${data.face.label[j]} · ${j}`, number(e.w)];
      }),
    ];
  }
  const pairText = (q, k) => {
    const w = weights()[q * data.n + k];
    return [
      number(w),
      ["query", `${data.face.label[q]} · ${q}`],
      ["key", `${data.face.label[k]} · ${k}`],
      ["against uniform", `${number(w * data.n)} ×`],
    ];
  };

  /* Face ---------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  page.main.append(holder);
  const face = surface(holder, {
    label: "Face with the relations between its landmarks. Arrow keys move, Enter pins, Escape clears.",
    ratio: (w) => w + LEGEND,
    draw: drawFace,
  });
  const viewNow = () => fitFace(face.width, face.height - LEGEND);
  const hit = (event) => {
    const view = viewNow();
    const i = nearestPoint(shownPoints, view.unit(face.at(event)), 16 / view.side);
    return i < 0 ? null : i;
  };
  face.canvas.addEventListener("pointermove", (event) => {
    const i = hit(event);
    face.canvas.style.cursor = i == null ? "default" : "pointer";
    if (i == null) tip.hide();
    else tip.corner(holder, event.clientX, describe(i));
    if (i !== hover) {
      hover = i;
      paint();
    }
  });
  face.canvas.addEventListener("pointerleave", () => {
    tip.hide();
    hover = null;
    paint();
  });
  face.canvas.addEventListener("click", (event) => {
    const i = hit(event);
    if (i != null || s.landmark != null) change({ landmark: i === s.landmark ? null : i });
  });
  face.canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hover = cell = null;
      tip.hide();
      change({ landmark: null });
    } else if (event.key === "Enter" || event.key === " ") {
      if (focus() != null) {
        const i = focus();
        hover = null;
        change({ landmark: i });
      }
    } else if (event.key.startsWith("Arrow")) {
      hover = stepPoint(shownPoints, focus(), event.key);
      page.say(
        describe(hover)
          .map((l) => [].concat(l).join(" "))
          .join(", "),
      );
      paint();
    } else return;
    event.preventDefault();
  });
  face.canvas.addEventListener("blur", () => {
    hover = null;
    paint();
  });

  /* Matrix -------------------------------------------------------------------------------------------- */

  const matrix = surface(page.side, {
    label:
      "Matrix of attention weights, rows are queries, columns are keys. Arrow keys move, Enter pins, Escape clears.",
    ratio: 1,
    draw: drawMatrix,
  });
  const cellAt = (event) => {
    const [x, y] = matrix.at(event);
    const step = (matrix.width - RIM) / data.n;
    const [c, r] = [Math.floor((x - RIM) / step), Math.floor((y - RIM) / step)];
    return r >= 0 && c >= 0 && r < data.n && c < data.n ? [data.face.order[r], data.face.order[c]] : null;
  };
  matrix.canvas.addEventListener("pointermove", (event) => {
    const next = cellAt(event);
    if (next) tip.show(event.clientX, event.clientY, pairText(...next));
    else tip.hide();
    if (String(next) !== String(cell)) {
      cell = next;
      paint();
    }
  });
  const leave = () => {
    tip.hide();
    cell = null;
    paint();
  };
  matrix.canvas.addEventListener("pointerleave", leave);
  matrix.canvas.addEventListener("blur", leave);
  matrix.canvas.addEventListener("click", (event) => {
    const at = cellAt(event);
    if (at) pinCell(at);
  });
  const pinCell = (at) => {
    const i = at[s.direction === "query" ? 0 : 1];
    change({ landmark: i === s.landmark ? null : i });
  };
  matrix.canvas.addEventListener("keydown", (event) => {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const { order } = data.face;
    if (event.key === "Escape") {
      cell = null;
      change({ landmark: null });
    } else if (event.key === "Enter" && cell) pinCell(cell);
    else if (way) {
      const from = cell || [order[0], order[0]];
      cell = from.map((i, k) => order[Math.min(data.n - 1, Math.max(0, order.indexOf(i) + way[k]))]);
      page.say(
        pairText(...cell)
          .map((l) => [].concat(l).join(" "))
          .join(", "),
      );
      paint();
    } else return;
    event.preventDefault();
  });

  /* Thumbnails of every layer and head ----------------------------------------------------------------- */

  const grid = el("div", { class: "wb-thumbs", role: "group", "aria-label": "Layers and heads" });
  page.side.append(grid);
  function thumbs() {
    const [, layers, heads] = data.meta.shape;
    const columns = [...Array(heads).keys(), null];
    grid.style.gridTemplateColumns = `auto repeat(${heads + 1}, minmax(0, 1fr))`;
    const nodes = [
      el("span"),
      ...columns.map((h) => el("span", {}, h == null ? "mean" : heads > 5 ? `${h + 1}` : `head ${h + 1}`)),
    ];
    for (let layer = 0; layer < layers; layer++) {
      nodes.push(el("span", { class: "row" }, `layer ${layer + 1}`));
      for (const head of columns) {
        const name = `layer ${layer + 1}, ${head == null ? "mean of heads" : `head ${head + 1}`}, largest weight ${number(largest(weights(layer, head), data.n, s.own))}`;
        const node = el("button", {
          type: "button",
          "aria-label": name,
          title: name,
          onclick: () => change({ layer, head }),
        });
        node.dataset.at = `${layer} ${head}`;
        const canvas = el("canvas", { width: data.n, height: data.n, "aria-hidden": "true" });
        canvas.getContext("2d").drawImage(picture(layer, head), 0, 0);
        node.append(canvas);
        nodes.push(node);
      }
    }
    grid.replaceChildren(...nodes);
    mark();
  }
  const mark = () =>
    grid
      .querySelectorAll("button")
      .forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.at === `${s.layer} ${s.head}`)));

  /* Strip --------------------------------------------------------------------------------------------- */

  function strip() {
    const {
      kinds,
      shape: [stages, , , n],
    } = data.meta;
    parts = {
      kind: segmented(
        "attention",
        kinds.map((k) => [
          k,
          k,
          k === "cross" ? "from a landmark to the patches of the others" : "between the landmarks' own features",
        ]),
        s.kind,
        (kind) => change({ kind }),
      ),
      stage: segmented(
        "stage",
        [...Array(stages).keys()].map((k) => [k, `${k + 1}`, `stage ${k + 1} of ${stages}`]),
        s.stage,
        (stage) => {
          clearTimeout(playing);
          change({ stage });
        },
      ),
      mode: segmented(
        "",
        [
          ["lines", "lines", "lines to the strongest partners"],
          ["best", "best partner", "one arrow from each landmark to the key it weighs most, other than itself"],
        ],
        s.mode,
        (mode) => change({ mode }),
      ),
      direction: segmented(
        "as",
        [
          ["query", "query", "what it listens to"],
          ["key", "key", "who listens to it"],
        ],
        s.direction,
        (direction) => change({ direction }),
      ),
      topk: slider(
        "top",
        "how many partners of each landmark",
        { min: 0, max: n, step: 1, value: s.topk, format: (v) => (v ? String(v) : "all") },
        (topk) => change({ topk }, false),
        (topk) => change({ topk }),
      ),
      threshold: slider(
        "from",
        "smallest weight that is drawn",
        { min: 0, max: 1, step: 0.001, value: s.threshold },
        (threshold) => change({ threshold }, false),
        (threshold) => change({ threshold }),
      ),
      own: toggle("own weight", "draw the weight of a landmark on itself", s.own, (own) => change({ own })),
      scale: segmented(
        "scale",
        [
          ["map", "this", "colours reach to the largest weight of this map"],
          ["all", "all maps", "one scale for all stages, layers and heads"],
        ],
        s.scale,
        (scale) => change({ scale }),
      ),
    };
    const stagePlay = stages > 1 ? button("▶", "play the stages", play) : null;
    page.strip.replaceChildren(
      parts.kind.node,
      parts.stage.node,
      ...(stagePlay ? [stagePlay] : []),
      parts.mode.node,
      parts.direction.node,
      parts.topk.node,
      parts.threshold.node,
      parts.own.node,
      parts.scale.node,
    );
    page.foot.replaceChildren(
      button("PNG", "save the picture", savePicture),
      button("CSV", "save the visible relations", saveEdges),
    );
    sync();
  }
  function sync() {
    const high = top();
    parts.threshold.range(0, high, high / 200);
    for (const key of Object.keys(parts)) parts[key].set(s[key]);
    parts.topk.node.inert = s.mode === "best";
    parts.topk.node.style.opacity = s.mode === "best" ? 0.4 : 1;
    mark();
  }
  const stem = () =>
    `relations-${s.kind}-stage${s.stage + 1}-layer${s.layer + 1}-${s.head == null ? "mean" : `head${s.head + 1}`}`;
  function saveEdges() {
    const rows = edges()
      .reverse()
      .map((e) => [e.q, data.face.label[e.q], e.k, data.face.label[e.k], e.w.toPrecision(6)]);
    saveFile(`${stem()}.csv`, csv([["query", "query_name", "key", "key_name", "weight"], ...rows]), "text/csv");
  }
  function savePicture() {
    const side = 900;
    saveSheet(`${stem()}.png`, page, data.meta.title, 2 * side + 40, side + LEGEND, (ctx) => {
      drawFace(ctx, side, side + LEGEND);
      ctx.translate(side + 24, 6);
      drawMatrix(ctx, side);
    });
  }

  const show = () => {
    read();
    clamp();
    strip();
    thumbs();
    paint();
    tell();
  };
  const tell = () => {
    if (s.threshold !== host.get("selection").threshold) host.set("selection", { ...s });
  };
  show();
  const unwatch = host.watch((what) => {
    if (what === "payload") {
      hover = cell = null;
      show();
    } else {
      change(host.get("selection"), false);
      tell();
    }
  });
  return () => {
    unwatch();
    stopMotion();
    clearTimeout(playing);
    face.close();
    matrix.close();
    page.close();
  };
}
