/* One recorded tensor on the face. Its values are all here; nothing is asked of Python while the pointer moves. State
"selection": {stage | null, head | null, landmark | null, channel | null, step | null, opacity, scale, topk, points}
(inside.py: DEFAULTS). Kinds: grid, channels, landmarks, landmark_to_map, patches over the crop; landmark_pairs and
graph as lines; bars, table, boxes, points; no tensor: the landmarks' trajectory alone. */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { coverTools } from "./cover_modes.js";
import { ARROWS, between, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { linesOf } from "./heatmap.js";
import { savedRows } from "./inside_bars.js";
import { drawFace } from "./inside_face.js";
import { columns, drawSide, hitSide, order, sideTall } from "./inside_side.js";
import { factsNow, insideState, PAGE } from "./inside_state.js";
import { insideStrip } from "./inside_strip.js";
import { INSIDE_STYLE } from "./inside_style.js";
import { number } from "./numbers.js";
import { button, el, frame, glide, spoken, theme, tooltip } from "./page.js";
import { RECT_STYLE } from "./rect.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const TITLES = {
  landmarks: (n) => `${n} landmarks, by part`,
  landmark_to_map: (n) => `where each of ${n} landmarks looks`,
  patches: (n) => `${n} patches`,
  grid: () => "how often each value comes",
  landmark_pairs: () => "rows listen to columns",
  graph: () => "rows take from columns",
  boxes: () => "how wide the patches are",
  points: () => "how far they still had to go",
};

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Inside the model", INSIDE_STYLE + RECT_STYLE);
  const tip = tooltip(page);
  let v = insideState(host);
  let stopMotion = () => {};
  let playing = null;
  /** @type {Record<string, any>} */
  let parts = {};
  let bars = null;

  /* What changes, and who is told ----------------------------------------------------------------------- */

  const pieces = () => composeCaption(v.meta.caption, factsNow(v));
  function paint() {
    face.paint();
    side.paint();
    page.caption.replaceChildren(...captionNodes(pieces()));
  }
  function change(values, commit = true) {
    const before = v.step();
    const { ends } = v.meta;
    const follows = values.stage != null && v.t && ends.length === v.shape[0];
    v.s = { ...v.s, ...values, ...(follows ? { step: ends[values.stage] } : {}) };
    if (v.step() !== before) moveTo(v.meta.steps[v.step()].points);
    sync();
    heading();
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
    const last = v.meta.steps.length - 1;
    const next = (step) => {
      change({ step }, step === last);
      if (step < last) playing = setTimeout(() => next(step + 1), 650);
    };
    next(0);
  }
  const leave = () => {
    tip.hide();
    v.hover = v.place = v.spot = null;
    paint();
  };

  /* Face ------------------------------------------------------------------------------------------------ */

  const holder = el("div", { class: "wb-face" });
  page.main.append(holder);
  const face = surface(holder, {
    label: "Face with what the tensor holds. Arrow keys move, Enter pins, Escape clears.",
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
  /** The place under the pointer (null outside of the crop) and the landmark there. */
  const at = (event) => {
    const view = fitFace(face.width, face.height - v.meta.drawing.legend);
    const place = view.unit(face.at(event));
    const i = nearestPoint(v.points, place, 12 / view.side);
    return { place: place.every((x) => x >= 0 && x < 1) ? place : null, landmark: i < 0 ? null : i };
  };
  function describe() {
    const here = v.cellHere();
    const i = v.hover?.landmark;
    if (here) {
      const [y, x] = here.cell;
      const cell = `y ${y}, x ${x} of ${v.shape[3]} × ${v.shape[4]}`;
      return [number(here.value), ["cell", cell], ["nearest", v.name(nearestPoint(v.points, v.place))]];
    }
    if (i == null) return [];
    if (!v.onLines) return [v.name(i)];
    return [
      v.name(i),
      ...linesOf(v.block(), v.count, i, 5)
        .reverse()
        .map((e) => [v.name(e.k), number(e.w)]),
    ];
  }
  face.canvas.addEventListener("pointermove", (event) => {
    const { place, landmark } = at(event);
    v.place = place;
    v.hover = landmark == null ? null : { landmark };
    face.canvas.style.cursor = landmark == null ? "crosshair" : "pointer";
    const lines = describe();
    if (lines.length) tip.corner(holder, event.clientX, lines);
    else tip.hide();
    paint();
  });
  face.canvas.addEventListener("pointerleave", leave);
  face.canvas.addEventListener("blur", leave);
  face.canvas.addEventListener("click", (event) => {
    const { landmark } = at(event);
    if (landmark != null) change({ landmark: landmark === v.s.landmark ? null : landmark });
    else if (v.s.landmark != null) change({ landmark: null });
  });
  function step(key) {
    if (v.onGrid && v.t.items !== "landmark") {
      const cells = [v.shape[4], v.shape[3]];
      const from = v.place ?? [0.5, 0.5];
      v.place = from.map((x, k) => between(x + ARROWS[key][k] / cells[k], 0.5 / cells[k], 1 - 0.5 / cells[k]));
    } else {
      const landmark = stepPoint(v.points, v.hover?.landmark ?? v.s.landmark, key);
      v.hover = { landmark };
      v.place = v.points[landmark];
    }
    page.say(spoken(describe()));
    paint();
  }
  face.canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      v.hover = v.place = null;
      change({ landmark: null, channel: null });
    } else if (event.key === "Enter" || event.key === " ") {
      const i = v.hover?.landmark;
      v.hover = null;
      if (i != null) change({ landmark: i });
    } else if (ARROWS[event.key]) step(event.key);
    else return;
    event.preventDefault();
  });

  /* Beside the face ------------------------------------------------------------------------------------- */

  const title = el("p", { class: "wb-heading" });
  const box = el("div", { class: "wb-thumbs-box" });
  page.side.append(title, box);
  let side = makeSide();
  const choose = (i) => change(v.ofChannels ? { channel: i } : { landmark: i });
  function makeSide() {
    const made = surface(box, {
      label: "The tensor's parts. Arrow keys move, Enter pins, Escape clears.",
      ratio: (w) => sideTall(v, w),
      draw: (ctx, w, h) => {
        bars = drawSide(ctx, v, theme(page.root), w, h);
      },
    });
    const hit = (event) => {
      const [x, y] = made.at(event);
      return hitSide(v, bars, x, y, made.width, made.height);
    };
    const { canvas } = made;
    canvas.addEventListener("pointermove", (event) => {
      const found = hit(event);
      const { item, landmark } = found ?? {};
      canvas.style.cursor = item != null || landmark != null ? "pointer" : "default";
      if (found) tip.show(event.clientX, event.clientY, found.lines);
      else tip.hide();
      v.spot = found;
      v.hover = item != null ? { item } : landmark != null ? { landmark } : null;
      paint();
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const found = hit(event);
      const i = found?.item ?? found?.landmark;
      if (i == null) return;
      v.hover = null;
      choose(i === (v.ofChannels ? v.s.channel : v.s.landmark) ? null : i);
    });
    canvas.addEventListener("keydown", (event) => {
      const across = v.onLines ? 1 : columns(v, made.width);
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
      if (event.key === "Escape") {
        v.hover = null;
        choose(null);
      } else if ((event.key === "Enter" || event.key === " ") && v.hover?.item != null) {
        const i = v.hover.item;
        v.hover = null;
        choose(i);
      } else if (by && (v.hasThumbs || v.onLines)) {
        const list = order(v);
        const k = between(Math.max(0, list.indexOf(v.item())) + by, 0, list.length - 1);
        v.hover = { item: list[k] };
        page.say(v.ofChannels ? `channel ${list[k]}` : v.face.label[list[k]]);
        paint();
      } else return;
      event.preventDefault();
    });
    return made;
  }
  function remakeSide() {
    side.close();
    side = makeSide();
  }
  function turnPage(by) {
    v.from = between(v.from + by, 0, Math.floor((v.count - 1) / PAGE) * PAGE);
    remakeSide();
    heading();
  }
  const isPaged = () => v.ofChannels && v.count > PAGE;
  function titleText() {
    if (!v.t) return v.meta.steps.length > 1 ? "how far each stage moved each landmark" : "";
    const range = isPaged() ? `, ${v.from} to ${Math.min(v.count, v.from + PAGE) - 1}` : "";
    return v.ofChannels ? `${v.count} channels${range}` : (TITLES[v.kind]?.(v.count) ?? v.t.words);
  }
  function heading() {
    const buttons = el("span");
    if (v.hasThumbs && v.item() != null) {
      buttons.append(
        button("all together", "show all maps together", () => choose(null)),
        " ",
      );
    }
    if (isPaged()) {
      buttons.append(
        button("‹", "previous channels", () => turnPage(-PAGE)),
        button("›", "next channels", () => turnPage(PAGE)),
      );
    }
    title.replaceChildren(el("span", {}, titleText()), buttons);
  }

  /* Strip, and what is saved ------------------------------------------------------------------------------ */

  function sync() {
    const now = { ...v.s, step: v.step(), ...(v.t ? { stage: v.stage(), head: v.head() } : {}) };
    for (const key of Object.keys(parts)) parts[key].set(now[key]);
  }
  function sheet() {
    const { drawing, stem = "inside" } = v.meta;
    const look = theme(page.root);
    const tall = sideTall(v, drawing.side);
    const beside = {
      w: drawing.side,
      h: tall,
      title: titleText(),
      draw: (ctx, w, h) => {
        drawSide(ctx, v, look, w, h);
      },
    };
    return {
      name: `${stem}-${(v.t?.name ?? "landmarks").replaceAll(".", "-")}`,
      title: v.meta.title,
      caption: [captionText(pieces())],
      panels: [
        { w: drawing.face, h: drawing.face + drawing.legend, draw: (ctx, w, h) => drawFace(ctx, v, w, h) },
        ...(tall ? [beside] : []),
      ],
      rows: () => savedRows(v),
    };
  }

  function show() {
    const shown = v;
    v.under = cover.under;
    cover.arrived();
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      face.paint();
    });
    parts = insideStrip(page, v, change, play);
    page.strip.append(...cover.controls);
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
    remakeSide();
    heading();
    paint();
  }
  show();
  const unwatch = host.watch((what) => {
    if (what !== "payload") {
      cover.arrived();
      return change(host.get("selection"), false);
    }
    const { image } = v;
    v = insideState(host);
    v.image = image; // the old picture stays until the new one is ready
    show();
  });
  return () => {
    unwatch();
    stopMotion();
    clearTimeout(playing);
    cover.stop();
    face.close();
    side.close();
    page.close();
  };
}
