/* inside.js: one recorded tensor on the face. Its values are all here; nothing is asked of Python while the pointer moves.
State "selection": {stage | null, head | null, landmark | null, channel | null, step | null, opacity, scale, topk, points}
(inside.py: DEFAULTS). Kinds (inside.py, explain/inside.py): grid, channels, landmarks, landmark_to_map, patches over the crop; landmark_pairs and
graph as lines; bars, table, boxes, points; no tensor: the landmarks' way alone. Pure: insideCaption. */

import { colourMap, matrixImage } from "./colours.js";
import { drawArrow, drawBrackets, drawDots, drawLines, drawPhoto, drawTag } from "./draw.js";
import { fitFace, nearestPoint, stepPoint } from "./geometry.js";
import {
  BASE,
  BASE_SOFT,
  blockOf,
  cellUnder,
  drawBars,
  drawCell,
  drawGrid,
  drawLegend,
  everyBlock,
  gridImage,
  histogram,
  linesOf,
  rangeOf,
  STRIP,
  scaledHalf,
  spanOf,
  together,
} from "./heatmap.js";
import { drawScale } from "./legend.js";
import { number } from "./numbers.js";
import { animate, button, el, frame, segmented, slider, theme, toggle, tooltip } from "./page.js";
import { saveCanvas } from "./save.js";
import { loadImage, surface } from "./surface.js";

/* now: {stage, head, item, span, below (values under the scale), step}; pieces [text, isCode]. */
export function insideCaption(meta, s, now) {
  const t = meta.tensor;
  const way = meta.steps.length > 1 ? ` · landmarks: ${meta.steps[now.step].text}` : "";
  if (!t)
    return [
      ["alignment.landmarks", true],
      [` · ${meta.face.count} points${way || " · this system gives one answer, without stages"}`],
    ];
  const [stages, heads] = t.shape;
  const out = [[t.name, true], [` · ${t.words}`]];
  const add = (text) => text && out.push([` · ${text}`]);
  add(stages > 1 && `stage ${now.stage + 1} of ${stages}`);
  add(heads > 1 && (now.head == null ? `mean of ${heads} heads` : `head ${now.head + 1} of ${heads}`));
  add(t.done);
  const count = t.shape[2];
  const name = (i) => `${meta.face.label[i] ?? "point"} (${i})`;
  if (t.kind === "channels")
    add(now.item == null ? `mean of the absolute values of ${count} channels` : `channel ${now.item} of ${count}`);
  else if (t.items === "landmark")
    add(
      now.item != null
        ? name(now.item)
        : {
            landmarks: `largest of ${count} landmarks`,
            landmark_to_map: `mean of ${count} landmarks`,
            patches: "choose a landmark for its patch",
          }[t.kind],
    );
  if (["landmark_pairs", "graph"].includes(t.kind))
    add(
      `${s.topk ? `${s.topk} strongest` : "all"} of ${now.item == null ? "each landmark" : name(now.item)}, itself left out`,
    );
  if (t.shape.length === 5) add(`${t.shape[3]} × ${t.shape[4]} cells, not smoothed, more opaque where larger`);
  if (now.span)
    add(
      `scale ${number(now.span.lo)} to ${number(now.span.hi)}, ${{ all: "the largest of all its maps", range: t.shape.length === 5 && "the least and the largest here" }[s.scale] || "the largest here"}${now.below ? ", what lies below shares its first colour" : ""}`,
    );
  add("as recorded, float16");
  if (way) out.push([way]);
  return out;
}

const INSIDE_STYLE = `
.wb-heading { margin: 0; color: var(--soft); font-size: 12px; display: flex; justify-content: space-between; gap: 8px; align-items: center; min-height: 26px; }
.wb .wb-heading button { min-height: 22px; padding: 0 7px; }
.wb-thumbs-box { max-height: 560px; overflow-y: auto; border-radius: 8px; }
`;
const TALL = 240;
const EDGE = 30;
const PAGE = 100;

export default function mount(host) {
  const page = frame(host, "Inside the model", INSIDE_STYLE);
  const tip = tooltip(page);
  let data;
  let s;
  let image = null;
  let hover = null;
  let place = null;
  let spot = null;
  let from = 0;
  let shownPoints;
  let stopMotion = () => {};
  let playing = 0;
  let parts = {};
  let bars = null;

  function read() {
    const meta = host.meta;
    const t = meta.tensor;
    data = {
      meta,
      t,
      face: meta.face,
      kept: new Map(),
      values: t ? scaledHalf(host.bytes("values"), t.unit) : null,
      maps: { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.diverging")) },
      cividis: colourMap(host.bytes("lut.cividis")),
    };
    s = { ...host.get("selection") };
    from = Math.floor((s.channel ?? 0) / PAGE) * PAGE;
    shownPoints = meta.steps[step()].points;
    loadImage(host.bytes("photo"), (bitmap) => {
      image = bitmap;
      face.paint();
    });
  }
  const once = (key, make) => {
    if (!data.kept.has(key)) {
      if (data.kept.size > 1200) data.kept.clear();
      data.kept.set(key, make());
    }
    return data.kept.get(key);
  };
  const kind = () => data.t?.kind ?? "";
  const shape = () => data.t.shape;
  const step = () => Math.min(s.step ?? Infinity, data.meta.steps.length - 1);
  const stage = () => Math.min(s.stage ?? Infinity, shape()[0] - 1);
  const head = () => (s.head == null || shape()[1] === 1 || s.head >= shape()[1] ? null : s.head);
  const block = () => once(`b ${stage()} ${head()}`, () => blockOf(data.values, shape(), stage(), head()));
  const onGrid = () => ["grid", "channels", "landmarks", "landmark_to_map", "patches"].includes(kind());
  const onLines = () => ["landmark_pairs", "graph"].includes(kind());
  const ofChannels = () => kind() === "channels";
  const count = () => shape()[2];
  function item() {
    if (ofChannels()) return hover?.item ?? (s.channel != null && s.channel < count() ? s.channel : null);
    const i = hover?.item ?? hover?.landmark ?? s.landmark;
    return i != null && (onLines() || data.t?.items) && i < count() ? i : null;
  }
  function mapOf(i) {
    const size = shape()[3] * shape()[4];
    const all = block();
    if (kind() === "grid") return all;
    if (i != null) return all.subarray(i * size, (i + 1) * size);
    return once(`t ${stage()} ${head()}`, () =>
      together(all, count(), { channels: "abs", landmarks: "max" }[kind()] ?? "mean"),
    );
  }
  const spanFor = (i) =>
    s.scale === "all"
      ? once(`all ${head() == null}`, () => spanOf(everyBlock(data.values, shape(), head())))
      : once(`s ${s.scale} ${stage()} ${head()} ${i}`, () => (s.scale === "range" ? rangeOf : spanOf)(mapOf(i)));
  const pictureOf = (i, sheer = false) =>
    once(`p ${stage()} ${head()} ${i} ${s.scale} ${sheer}`, () =>
      gridImage(mapOf(i), shape()[3], shape()[4], spanFor(i), data.maps, sheer),
    );
  const linesNow = () => linesOf(block(), count(), item(), s.topk);
  const lineTop = () =>
    once(`top ${s.scale} ${stage()} ${head()}`, () => {
      let top = 0;
      const w = s.scale === "all" ? data.values : block();
      const n = count();
      w.forEach((v, k) => {
        if (v > top && Math.floor(k / n) % n !== k % n) top = v;
      });
      return top || 1;
    });
  function span() {
    if (!data.t) return null;
    if (onGrid()) return kind() === "patches" && item() == null ? null : spanFor(item());
    if (onLines()) return { lo: 0, hi: lineTop(), signed: false };
    return kind() === "table"
      ? once(`tab ${stage()} ${head()} ${s.scale}`, () => spanOf(s.scale === "all" ? data.values : block()))
      : null;
  }
  const rectOf = (i) => (kind() === "patches" ? (data.t.rects?.[stage()]?.[i] ?? null) : [0, 0, 1, 1]);

  /* Face ------------------------------------------------------------------------------------------------ */

  function drawFace(ctx, w, h) {
    const view = fitFace(w, h - STRIP);
    const f = hover?.landmark ?? s.landmark;
    const now = span();
    const i = item();
    const wide = onGrid() && kind() !== "patches";
    ctx.fillStyle = BASE;
    ctx.fillRect(0, 0, w, h);
    drawPhoto(ctx, view, image, wide ? 0.1 : onLines() ? 0.45 : 0.2);
    ctx.save();
    ctx.beginPath();
    ctx.rect(view.x0, view.y0, view.side, view.side);
    ctx.clip();
    if (wide) drawGrid(ctx, view, pictureOf(i, true), s.opacity);
    if (kind() === "patches") patches(ctx, view, i);
    if (kind() === "boxes") boxes(ctx, view, f);
    if (!data.t) trails(ctx, view, f);
    if (s.points) {
      drawLines(ctx, view, shownPoints, data.face, {
        alpha: wide ? 0.35 : 0.5,
        width: 1,
        colour: wide ? "#fff" : null,
      });
      if (onLines()) for (const e of linesNow()) line(ctx, view, e);
      drawDots(ctx, view, shownPoints, data.face, { radius: (k) => (k === f ? 5 : 2.4), rim: "rgb(255 255 255 / .8)" });
    } else if (onLines()) for (const e of linesNow()) line(ctx, view, e);
    if (kind() === "points") recorded(ctx, view);
    if (place && onGrid() && now) {
      const r = rectOf(i);
      const c = r && cellUnder(place, shape()[3], shape()[4], r);
      if (c) drawCell(ctx, view, c, shape()[3], shape()[4], r);
    }
    if (f != null && f < shownPoints.length)
      drawTag(ctx, `${data.face.label[f]} · ${f}`, ...view.px(shownPoints[f]), w, h - STRIP);
    ctx.restore();
    ctx.fillStyle = BASE_SOFT;
    ctx.font = "11px system-ui";
    ctx.textBaseline = "middle";
    if (onLines())
      drawScale(ctx, 18, h - 26, Math.min(300, w - 40), 8, data.maps.plain, 0, now.hi, {
        wedge: 7,
        text: w > 420 ? `${data.t.value}, line width and colour` : data.t.value,
      });
    else if (now && onGrid()) drawLegend(ctx, w, h, now, data.maps, data.t.value, valueAt(), null);
    else ctx.fillText(data.meta.steps[step()].text, 18, h - STRIP / 2);
  }
  function line(ctx, view, e) {
    const t = Math.min(1, e.w / lineTop());
    drawArrow(ctx, view.px(shownPoints[e.q]), view.px(shownPoints[e.k]), {
      colour: data.maps.plain.css(t),
      width: Math.max(0.7, 7 * t),
    });
  }
  function patches(ctx, view, i) {
    (data.t.rects?.[stage()] ?? []).forEach((r, k) => {
      if (k === i) return;
      ctx.strokeStyle = data.face.colour[k];
      ctx.globalAlpha = 0.35;
      ctx.lineWidth = 1;
      ctx.strokeRect(view.x0 + r[0] * view.side, view.y0 + r[1] * view.side, r[2] * view.side, r[3] * view.side);
    });
    ctx.globalAlpha = 1;
    if (i != null && rectOf(i)) drawGrid(ctx, view, pictureOf(i), s.opacity, rectOf(i));
  }
  /* The way up to the step that is shown, one straight piece a step, in the colour of its stage. */
  function trails(ctx, view, f) {
    const { steps, ends } = data.meta;
    for (let k = 1; k <= step(); k++) {
      ctx.strokeStyle = ofStage(ends.findIndex((end) => k <= end));
      ctx.lineWidth = 2;
      steps[k].points.forEach((p, i) => {
        ctx.globalAlpha = f == null || f === i ? 0.95 : 0.2;
        ctx.beginPath();
        ctx.moveTo(...view.px(steps[k - 1].points[i]));
        ctx.lineTo(...view.px(p));
        ctx.stroke();
      });
    }
    ctx.globalAlpha = 1;
  }
  const ofStage = (k) => data.maps.plain.css(0.4 + 0.55 * (k / Math.max(1, data.meta.ends.length - 1)));
  function boxes(ctx, view, f) {
    const b = block();
    for (let k = 0; k < count(); k++) {
      ctx.strokeStyle = data.face.colour[k] ?? "#fff";
      ctx.globalAlpha = f == null ? 0.6 : f === k ? 1 : 0.15;
      ctx.lineWidth = f === k ? 2.2 : 1.1;
      ctx.strokeRect(
        view.x0 + b[4 * k] * view.side,
        view.y0 + b[4 * k + 1] * view.side,
        b[4 * k + 2] * view.side,
        b[4 * k + 3] * view.side,
      );
    }
    ctx.globalAlpha = 1;
  }
  const recordedPoints = () =>
    once(`xy ${stage()}`, () => Array.from({ length: count() }, (_, k) => [block()[2 * k], block()[2 * k + 1]]));
  function recorded(ctx, view) {
    recordedPoints().forEach((p, k) => {
      const [x, y] = view.px(p);
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 1;
      if (s.points && shownPoints[k]) {
        ctx.globalAlpha = 0.6;
        ctx.beginPath();
        ctx.moveTo(x, y);
        ctx.lineTo(...view.px(shownPoints[k]));
        ctx.stroke();
        ctx.globalAlpha = 1;
      }
      ctx.strokeStyle = data.face.colour[k] ?? "#fff";
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(x, y, 4.5, 0, 7);
      ctx.stroke();
    });
  }
  function valueAt() {
    const i = item();
    const r = place && onGrid() && (kind() !== "patches" || i != null) ? rectOf(i) : null;
    const c = r && cellUnder(place, shape()[3], shape()[4], r);
    return c ? mapOf(i)[c[0] * shape()[4] + c[1]] : null;
  }

  /* Side: thumbnails, matrix, bars, or how the values are spread -------------------------------------------- */

  const order = () =>
    ofChannels()
      ? Array.from({ length: Math.min(PAGE, count() - from) }, (_, k) => from + k)
      : data.face.order.filter((i) => i < count());
  const many = () => onGrid() && kind() !== "grid";
  const columns = (w) => Math.max(4, Math.min(order().length <= 16 ? 4 : 10, Math.floor(w / 44)));
  function sideTall(w) {
    if (!data.t) return data.meta.steps.length > 1 ? TALL : 0;
    if (many()) {
      const c = columns(w);
      return Math.ceil(order().length / c) * (w / c);
    }
    if (onLines()) return w;
    if (kind() === "table") return Math.max(60, Math.min(w * 1.15, ((w - EDGE) * shape()[2]) / shape()[3])) + EDGE + 44;
    return TALL;
  }
  function drawSide(ctx, w, h) {
    if (!data.t && data.meta.steps.length < 2) return;
    const look = theme(page.root);
    if (many()) thumbs(ctx, w, look);
    else if (onLines()) matrix(ctx, w, look);
    else if (kind() === "table") table(ctx, w, h, look);
    else drawValues(ctx, w, h, look);
  }
  function thumbs(ctx, w, look) {
    const c = columns(w);
    const cell = w / c;
    const i = item();
    order().forEach((k, at) => {
      const x = (at % c) * cell + 1.5;
      const y = Math.floor(at / c) * cell + 1.5;
      const side = cell - 3;
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(pictureOf(k), x, y, side, side);
      if (!ofChannels()) {
        ctx.fillStyle = data.face.colour[k];
        ctx.fillRect(x, y + side - 3, side, 3);
      }
      if (k === i) {
        ctx.strokeStyle = look.ink;
        ctx.lineWidth = 2.5;
        ctx.strokeRect(x - 0.25, y - 0.25, side + 0.5, side + 0.5);
      }
    });
  }
  const rank = () =>
    once("rank", () => {
      const r = [];
      data.face.order.forEach((i, at) => {
        r[i] = at;
      });
      return r;
    });
  function matrix(ctx, w, look) {
    const n = count();
    const side = w - EDGE;
    const unit = side / n;
    const i = item();
    const { order: by } = data.face;
    ctx.imageSmoothingEnabled = false;
    ctx.fillStyle = "#3a3d45";
    ctx.fillRect(EDGE, EDGE, side, side);
    ctx.drawImage(
      once(`m ${stage()} ${head()} ${s.scale}`, () =>
        matrixImage(n, (r, c) => (r === c ? null : block()[by[r] * n + by[c]] / lineTop()), data.maps.plain),
      ),
      EDGE,
      EDGE,
      side,
      side,
    );
    drawBrackets(ctx, data.face, EDGE, EDGE, side, { ink: look.soft, font: look.font });
    if (i == null) return;
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 1.5;
    ctx.strokeRect(EDGE, EDGE + rank()[i] * unit - 0.5, side, unit + 1);
  }
  function table(ctx, w, h, look) {
    const [rows, cols] = shape().slice(2);
    const tall = h - EDGE - 44;
    const wide = w - EDGE;
    const now = span();
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(
      once(`tb ${stage()} ${head()} ${s.scale}`, () =>
        gridImage(block(), rows, cols, now, { plain: data.cividis, signed: data.maps.signed }),
      ),
      EDGE,
      EDGE,
      wide,
      tall,
    );
    ctx.fillStyle = look.soft;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "alphabetic";
    ctx.fillText(`${axis(-1)} →  0 to ${cols - 1}`, EDGE, EDGE - 8);
    ctx.save();
    ctx.translate(EDGE - 9, EDGE);
    ctx.rotate(-Math.PI / 2);
    ctx.textAlign = "right";
    ctx.fillText(`← ${axis(-2)}`, 0, 0);
    ctx.restore();
    drawScale(
      ctx,
      EDGE,
      EDGE + tall + 12,
      Math.min(240, wide),
      8,
      now.signed ? data.maps.signed : data.cividis,
      now.lo,
      now.hi,
      { ink: look.soft, font: look.font },
    );
    if (spot?.cell) {
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 1.5;
      ctx.strokeRect(
        EDGE + (spot.cell[1] * wide) / cols - 1,
        EDGE + (spot.cell[0] * tall) / rows - 1,
        wide / cols + 2,
        tall / rows + 2,
      );
    }
  }
  const axis = (k) => data.t.axes.at(k) ?? "value";
  function drawValues(ctx, w, h, look) {
    const box = { x: 52, y: 8, w: w - 60, h: h - 42, look, focus: spot?.k ?? null };
    const now = barRows();
    bars = drawBars(ctx, now.rows, { ...box, colours: now.colours });
    ctx.fillStyle = look.soft;
    ctx.font = `11px ${look.font}`;
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    if (now.scale)
      drawScale(
        ctx,
        box.x,
        h - 30,
        box.w,
        8,
        now.scale.signed ? data.maps.signed : data.maps.plain,
        now.scale.lo,
        now.scale.hi,
        { ink: look.soft, font: look.font },
      );
    else ctx.fillText(now.under, box.x, h - 24, box.w);
    if (now.rows.length > 1)
      now.rows.forEach((_, r) => {
        ctx.fillStyle = now.colours(r, 0);
        ctx.fillRect(w - 14 - 74 * (now.rows.length - r) + 10, h - 24, 9, 9);
        ctx.fillStyle = look.soft;
        ctx.fillText(now.name(r), w - 74 * (now.rows.length - r) + 10, h - 25);
      });
  }
  /* What the bars stand for: {rows, colours, under, words(k), scale}. */
  function barRows() {
    if (!data.t) {
      const { steps, ends } = data.meta;
      const by = data.face.order;
      const stop = [0, ...ends];
      const moved = (r, i) => {
        const [p, q] = [steps[stop[r]].points[i], steps[stop[r + 1]].points[i]];
        return 100 * Math.hypot(q[0] - p[0], q[1] - p[1]);
      };
      return {
        rows: ends.map((_, r) => by.map((i) => moved(r, i))),
        colours: ofStage,
        under: "moved, % of the crop",
        name: (r) => `stage ${r + 1}`,
        landmark: (k) => by[k],
        words: (k) => [
          data.face.label[by[k]],
          ...ends.map((_, r) => [`stage ${r + 1}`, `${number(moved(r, by[k]))} %`]),
        ],
      };
    }
    const b = block();
    const own = (k) => data.face.colour[k] ?? "#7F868F";
    if (kind() === "bars") {
      const [rows, cols] = shape().slice(2);
      const list = Array.from({ length: rows }, (_, r) => b.subarray(r * cols, (r + 1) * cols));
      return {
        rows: list,
        colours: (r) => data.cividis.css(rows === 1 ? 0.35 : 0.15 + (0.8 * r) / (rows - 1)),
        under: `channel, 0 to ${cols - 1}`,
        name: (r) => `${axis(0)} ${r}`,
        words: (k) => [
          `channel ${k}`,
          ...list.map((row, r) => [rows > 1 ? `${axis(0)} ${r}` : "value", number(row[k])]),
        ],
      };
    }
    if (kind() === "boxes") {
      const sides = data.face.order.filter((i) => i < count());
      return {
        rows: [sides.map((i) => 100 * b[4 * i + 2])],
        colours: (_, k) => own(sides[k]),
        under: "width of each landmark's patch, % of the crop",
        landmark: (k) => sides[k],
        words: (k) => [data.face.label[sides[k]], ["patch width", `${number(100 * b[4 * sides[k] + 2])} %`]],
      };
    }
    if (kind() === "points") {
      const by = data.face.order.filter((i) => i < count());
      const last = data.meta.steps.at(-1).points;
      const far = (i) => 100 * Math.hypot(recordedPoints()[i][0] - last[i][0], recordedPoints()[i][1] - last[i][1]);
      return {
        rows: [by.map(far)],
        colours: (_, k) => own(by[k]),
        under: "distance from where each landmark landed, % of the crop",
        landmark: (k) => by[k],
        words: (k) => [data.face.label[by[k]], ["distance", `${number(far(by[k]))} %`]],
      };
    }
    const now = span();
    const found = histogram(mapOf(null), now);
    const width = (now.hi - now.lo) / found.length;
    const map = now.signed ? data.maps.signed : data.maps.plain;
    return {
      rows: [found],
      colours: (_, k) => map.css((k + 0.5) / found.length),
      under: "",
      scale: now,
      words: (k) => [
        `${found[k]} cells`,
        ["values", `${number(now.lo + k * width)} to ${number(now.lo + (k + 1) * width)}`],
      ],
    };
  }

  /* What changes, and who is told ----------------------------------------------------------------------------- */

  function paint() {
    face.paint();
    side.paint();
    caption();
  }
  function caption() {
    const now = {
      step: step(),
      stage: data.t ? stage() : 0,
      head: data.t ? head() : null,
      item: data.t ? item() : null,
      span: span(),
    };
    now.below = now.span != null && !onLines() && (onGrid() ? mapOf(now.item) : block()).some((v) => v < now.span.lo);
    page.caption.replaceChildren(
      ...insideCaption(data.meta, s, now).map(([text, code]) => el(code ? "code" : "span", {}, text)),
    );
  }
  function change(values, commit = true) {
    const before = step();
    if (values.stage != null && data.t && data.meta.ends.length === shape()[0])
      values = { ...values, step: data.meta.ends[values.stage] };
    s = { ...s, ...values };
    if (step() !== before) glide(data.meta.steps[step()].points);
    sync();
    heading();
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
    const last = data.meta.steps.length - 1;
    const next = (at) => {
      change({ step: at }, at === last);
      if (at < last) playing = setTimeout(() => next(at + 1), 650);
    };
    next(0);
  }

  const holder = el("div", { class: "wb-face" });
  page.main.append(holder);
  const face = surface(holder, {
    label: "Face with what the tensor holds. Arrow keys move, Enter pins, Escape clears.",
    ratio: (w) => w + STRIP,
    draw: drawFace,
  });
  const at = (event) => {
    const view = fitFace(face.width, face.height - STRIP);
    const p = view.unit(face.at(event));
    const i = nearestPoint(shownPoints, p, 12 / view.side);
    return { p, i: i < 0 ? null : i };
  };
  const inside = ([u, v]) => u >= 0 && v >= 0 && u < 1 && v < 1;
  function tell() {
    const v = valueAt();
    const near = place ? nearestPoint(shownPoints, place) : -1;
    const i = hover?.landmark ?? near;
    const lines = [];
    if (v != null) {
      const c = cellUnder(place, shape()[3], shape()[4], rectOf(item()));
      lines.push(
        number(v),
        ["cell", `y ${c[0]}, x ${c[1]} of ${shape()[3]} × ${shape()[4]}`],
        ["nearest", `${data.face.label[near]} · ${near}`],
      );
    } else if (onLines() && hover?.landmark != null)
      lines.push(
        `${data.face.label[i]} · ${i}`,
        ...linesOf(block(), count(), i, 5)
          .reverse()
          .map((e) => [`${data.face.label[e.k]} · ${e.k}`, number(e.w)]),
      );
    else if (hover?.landmark != null) lines.push(`${data.face.label[i]} · ${i}`);
    return lines;
  }
  face.canvas.addEventListener("pointermove", (event) => {
    const { p, i } = at(event);
    place = inside(p) ? p : null;
    hover = i == null ? null : { landmark: i };
    face.canvas.style.cursor = i == null ? "crosshair" : "pointer";
    const lines = tell();
    if (lines.length) tip.corner(holder, event.clientX, lines);
    else tip.hide();
    paint();
  });
  const leave = () => {
    tip.hide();
    hover = place = spot = null;
    paint();
  };
  face.canvas.addEventListener("pointerleave", leave);
  face.canvas.addEventListener("blur", leave);
  face.canvas.addEventListener("click", (event) => {
    const { i } = at(event);
    if (i != null || s.landmark != null) change({ landmark: i === s.landmark ? null : i });
  });
  face.canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") {
      hover = place = null;
      change({ landmark: null, channel: null });
    } else if (event.key === "Enter" || event.key === " ") {
      const i = hover?.landmark;
      hover = null;
      if (i != null) change({ landmark: i });
    } else if (!way) return;
    else if (onGrid() && data.t.items !== "landmark") {
      const [h, w] = shape().slice(3);
      const [u, v] = place ?? [0.5, 0.5];
      place = [
        Math.min(1 - 0.5 / w, Math.max(0.5 / w, u + way[0] / w)),
        Math.min(1 - 0.5 / h, Math.max(0.5 / h, v + way[1] / h)),
      ];
    } else {
      const i = stepPoint(shownPoints, hover?.landmark ?? s.landmark, event.key);
      hover = { landmark: i };
      place = shownPoints[i];
    }
    if (way) {
      page.say(
        tell()
          .map((l) => [].concat(l).join(" "))
          .join(", "),
      );
      paint();
    }
    event.preventDefault();
  });

  const title = el("p", { class: "wb-heading" });
  const box = el("div", { class: "wb-thumbs-box" });
  page.side.append(title, box);
  let side = null;
  function hitSide(event) {
    const [x, y] = side.at(event);
    const w = side.width;
    if (many()) {
      const c = columns(w);
      const list = order();
      const k = Math.floor(y / (w / c)) * c + Math.floor(x / (w / c));
      return x >= 0 && x < w && list[k] != null
        ? {
            item: list[k],
            lines: [
              ofChannels() ? `channel ${list[k]}` : `${data.face.label[list[k]]} · ${list[k]}`,
              ["largest", number(Math.max(...mapOf(list[k])))],
            ],
          }
        : null;
    }
    if (onLines()) {
      const n = count();
      const unit = (w - EDGE) / n;
      const [c, r] = [Math.floor((x - EDGE) / unit), Math.floor((y - EDGE) / unit)];
      if (r < 0 || c < 0 || r >= n || c >= n) return null;
      const [q, k] = [data.face.order[r], data.face.order[c]];
      return {
        item: q,
        lines: [
          number(block()[q * n + k]),
          [axis(-2), `${data.face.label[q]} · ${q}`],
          [axis(-1), `${data.face.label[k]} · ${k}`],
        ],
      };
    }
    if (kind() === "table") {
      const [rows, cols] = shape().slice(2);
      const c = Math.floor(((x - EDGE) / (w - EDGE)) * cols);
      const r = Math.floor(((y - EDGE) / (side.height - EDGE - 44)) * rows);
      return r >= 0 && c >= 0 && r < rows && c < cols
        ? { cell: [r, c], lines: [number(block()[r * cols + c]), [axis(-2), String(r)], [axis(-1), String(c)]] }
        : null;
    }
    const k = bars?.at(x);
    return k == null ? null : { k, landmark: barRows().landmark?.(k), lines: barRows().words(k) };
  }
  function makeSide() {
    side?.close();
    side = surface(box, {
      label: "The tensor's parts. Arrow keys move, Enter pins, Escape clears.",
      ratio: sideTall,
      draw: drawSide,
    });
    side.canvas.addEventListener("pointermove", (event) => {
      const found = hitSide(event);
      side.canvas.style.cursor = found?.item != null || found?.landmark != null ? "pointer" : "default";
      if (found) tip.show(event.clientX, event.clientY, found.lines);
      else tip.hide();
      spot = found;
      hover =
        found?.item != null ? { item: found.item } : found?.landmark != null ? { landmark: found.landmark } : null;
      paint();
    });
    side.canvas.addEventListener("pointerleave", leave);
    side.canvas.addEventListener("blur", leave);
    side.canvas.addEventListener("click", (event) => {
      const found = hitSide(event);
      const i = found?.item ?? found?.landmark;
      if (i == null) return;
      hover = null;
      choose(i === (ofChannels() ? s.channel : s.landmark) ? null : i);
    });
    side.canvas.addEventListener("keydown", (event) => {
      const list = order();
      const c = columns(side.width);
      const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -c, ArrowDown: c }[event.key];
      const now = many() || onLines();
      if (event.key === "Escape") {
        hover = null;
        choose(null);
      } else if ((event.key === "Enter" || event.key === " ") && hover?.item != null) {
        const i = hover.item;
        hover = null;
        choose(i);
      } else if (way && now) {
        const k = Math.min(
          list.length - 1,
          Math.max(0, Math.max(0, list.indexOf(item())) + (onLines() ? Math.sign(way) : way)),
        );
        hover = { item: list[k] };
        page.say(ofChannels() ? `channel ${list[k]}` : data.face.label[list[k]]);
        paint();
      } else return;
      event.preventDefault();
    });
  }
  const choose = (i) => change(ofChannels() ? { channel: i } : { landmark: i });
  function heading() {
    if (!data.t) {
      title.replaceChildren(data.meta.steps.length > 1 ? "how far each stage moved each landmark" : "");
      return;
    }
    const n = data.t.shape[2];
    const text = {
      channels: `${n} channels`,
      landmarks: `${n} landmarks, by part`,
      landmark_to_map: `where each of ${n} landmarks looks`,
      patches: `${n} patches`,
      grid: "how often each value comes",
      landmark_pairs: "rows listen to columns",
      graph: "rows take from columns",
      bars: data.t.words,
      table: data.t.words,
      boxes: "how wide the patches are",
      points: "how far they still had to go",
    }[kind()];
    const all = many() && item() != null ? button("all together", "show all maps together", () => choose(null)) : null;
    const turn = (by) => {
      from = Math.min(Math.max(0, from + by), Math.floor((n - 1) / PAGE) * PAGE);
      makeSide();
      heading();
    };
    const pages =
      ofChannels() && n > PAGE
        ? [button("‹", "previous channels", () => turn(-PAGE)), button("›", "next channels", () => turn(PAGE))]
        : [];
    title.replaceChildren(
      el("span", {}, ofChannels() && n > PAGE ? `${text}, ${from} to ${Math.min(n, from + PAGE) - 1}` : text),
      el("span", {}, ...(all ? [all, " "] : []), ...pages),
    );
  }

  /* Strip ------------------------------------------------------------------------------------------------------ */

  function strip() {
    const t = data.t;
    const last = data.meta.steps.length - 1;
    const nodes = [];
    parts = {};
    const add = (key, part) => {
      parts[key] = part;
      nodes.push(part.node);
    };
    if (last > 0) {
      add(
        "step",
        slider(
          "way",
          "from the mean face to the answer",
          {
            min: 0,
            max: last,
            step: 1,
            value: step(),
            format: (k) => (+k === 0 ? "mean face" : +k === last ? "landed" : `step ${k} of ${last}`),
          },
          (k) => change({ step: k }, false),
          (k) => change({ step: k }),
        ),
      );
      nodes.push(button("▶", "from the mean face to the answer", play));
    }
    if (t && t.shape[0] > 1)
      add(
        "stage",
        segmented(
          "stage",
          Array.from({ length: t.shape[0] }, (_, k) => [k, String(k + 1), `stage ${k + 1}`]),
          stage(),
          (v) => change({ stage: v }),
        ),
      );
    if (t && t.shape[1] > 1)
      add(
        "head",
        segmented(
          "head",
          [
            [null, "mean", "mean of all heads"],
            ...Array.from({ length: t.shape[1] }, (_, k) => [k, String(k + 1), `head ${k + 1}`]),
          ],
          head(),
          (v) => change({ head: v }),
        ),
      );
    if (onLines())
      add(
        "topk",
        slider(
          "lines",
          "strongest lines of each landmark",
          { min: 0, max: 10, step: 1, value: s.topk, format: (k) => (+k ? `${k} each` : "all") },
          (v) => change({ topk: v }, false),
          (v) => change({ topk: v }),
        ),
      );
    if (onGrid())
      add(
        "opacity",
        slider(
          "opacity",
          "opacity of the map",
          { min: 0, max: 1, step: 0.05, value: s.opacity, format: (v) => `${Math.round(100 * v)} %` },
          (v) => change({ opacity: v }, false),
          (v) => change({ opacity: v }),
        ),
      );
    const several = t && (many() || t.shape[0] > 1 || t.shape[1] > 1);
    if (t && (several || onGrid()) && !["bars", "boxes", "points"].includes(t.kind))
      add(
        "scale",
        segmented(
          "scale",
          [
            ["map", "0 to max", "colours reach from 0 to the largest value of this map"],
            ...(onGrid()
              ? [["range", "min to max", "colours reach from the least to the largest value of this map"]]
              : []),
            ...(several ? [["all", "all maps", "one scale for all maps of this tensor"]] : []),
          ],
          s.scale,
          (v) => change({ scale: v }),
        ),
      );
    add(
      "points",
      toggle("landmarks", "draw the landmarks", s.points, (v) => change({ points: v })),
    );
    page.strip.replaceChildren(...nodes);
    page.foot.replaceChildren(button("PNG", "save the picture", savePicture));
  }
  function sync() {
    const now = { ...s, step: step(), ...(data.t ? { stage: stage(), head: head() } : {}) };
    for (const key of Object.keys(parts)) parts[key].set(now[key]);
  }
  function savePicture() {
    const wide = 900;
    const canvas = document.createElement("canvas");
    const ctx = canvas.getContext("2d");
    const tall = sideTall(620);
    canvas.width = wide + 660;
    canvas.height = Math.max(wide + STRIP, tall + 20) + 56;
    ctx.fillStyle = theme(page.root).dark ? "#14161a" : "#fff";
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    drawFace(ctx, wide, wide + STRIP);
    ctx.save();
    ctx.translate(wide + 24, 6);
    drawSide(ctx, 620, tall);
    ctx.restore();
    ctx.fillStyle = theme(page.root).ink;
    ctx.font = "13px system-ui";
    ctx.textBaseline = "top";
    ctx.fillText(data.meta.title, 8, canvas.height - 46);
    ctx.fillText(page.caption.textContent, 8, canvas.height - 24, canvas.width - 16);
    saveCanvas(`${(data.t?.name ?? "landmarks").replaceAll(".", "-")}.png`, canvas);
  }

  const show = () => {
    read();
    strip();
    makeSide();
    heading();
    paint();
  };
  show();
  const unwatch = host.watch((what) => {
    if (what === "payload") {
      hover = place = spot = null;
      show();
    } else change(host.get("selection"), false);
  });
  return () => {
    unwatch();
    stopMotion();
    clearTimeout(playing);
    face.close();
    side.close();
    page.close();
  };
}
