/* A drawing on the face plane (left) and its points found on the photograph (right). State "drawing": that of
shape_edits.js with `at` (ms of the last edit, 0 untouched) and `tab`; committed when an edit is finished. Ids stay
with their points, so what was found for an older drawing still belongs to the right ones. In the app a drawing is
kept by the browser as well. */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { ARROWS, nearestPoint } from "./geometry.js";
import { button, el, frame, segmented, spacer, theme, toggle, tooltip } from "./page.js";
import { drawFound, drawPlane, photoView, placesOf, planeView } from "./shape_drawing.js";
import {
  addPoint,
  dropPoints,
  fromTemplate,
  history,
  movePoints,
  nameGroup,
  newer,
  planeSpan,
  pointLook,
} from "./shape_edits.js";
import { listenToPlane } from "./shape_pointer.js";
import { browserStore } from "./shape_store.js";
import { SHAPE_STYLE } from "./shape_style.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const PLANE_LABEL =
  "Face plane. PageUp and PageDown choose a point, arrow keys move it, Enter adds one beside it, " +
  "Delete removes it.";
const SLOW_MS = 350; // until a key's edit is committed: others may follow
const QUICK_MS = 60;

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Shape", SHAPE_STYLE);
  const tip = tooltip(page);
  const past = history();
  page.root.classList.add("wb-shape");
  const store = host.kind === "streamlit" ? browserStore() : null;
  const v = {
    meta: host.meta,
    drawing: host.get("drawing"),
    /** @type {ImageBitmap | null} */
    photo: null,
    found: null,
    hover: null,
    pointed: "",
    chosen: new Set(),
    span: [0, 1],
    /** @type {number[][] | null} two corners of the rectangle that chooses points */
    band: null,
    numbers: host.get("drawing").points.length <= 12,
    adding: false,
    dragged: false,
  };
  let waiting = null;
  let pending = false;

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function edited(next, before = v.drawing, wait = QUICK_MS) {
    if (next === before) return;
    past.push(before);
    take(next, wait);
  }
  function take(next, wait = QUICK_MS) {
    v.drawing = { ...next, at: Date.now(), tab: store?.tab || "" };
    v.chosen = new Set([...v.chosen].filter((id) => v.drawing.ids.includes(id)));
    store?.keep(v.drawing);
    clearTimeout(waiting);
    pending = true;
    waiting = setTimeout(() => {
      waiting = null;
      host.set("drawing", tidy(v.drawing));
    }, wait);
    refresh();
  }
  const tidy = (d) => ({ ...d, points: d.points.map((p) => p.map((x) => Math.round(x * 1e5) / 1e5)) });
  function turn(by) {
    const next = past[by](v.drawing);
    if (next) take(next);
  }
  function remove() {
    const count = v.chosen.size;
    if (!count) return;
    edited(dropPoints(v.drawing, v.chosen));
    page.say(count === 1 ? "point deleted" : `${count} points deleted`);
  }
  function start(name) {
    v.chosen.clear();
    edited(fromTemplate(name, v.meta.templates[name]));
    page.say(name ? `${v.meta.templates[name].points.length} points of ${name}` : "an empty plane");
  }
  function paint() {
    left.paint();
    right.paint();
  }
  const pieces = () => composeCaption(v.meta.caption, { ...v.meta.facts, pending });
  function refresh() {
    if (!v.dragged) v.span = planeSpan(v.drawing.points, v.meta.reach);
    const n = v.drawing.points.length;
    const { live } = v.meta;
    const touched = v.drawing.ids.some((_, i) => !pointLook(v.drawing, i, v.meta).anchor);
    pick.set(v.drawing.template);
    bin.disabled = !v.chosen.size || !live;
    bin.textContent = v.chosen.size > 1 ? `delete ${v.chosen.size}` : "delete";
    back.disabled = !past.canUndo;
    forth.disabled = !past.canRedo;
    naming.hidden = v.chosen.size < 2 || !live;
    ask.hidden = n > 0;
    state.textContent = pending
      ? "finding …"
      : `${n} ${n === 1 ? "point" : "points"}${touched ? "" : n ? " as trained" : ""}`;
    page.root.dataset.ready = String(!pending);
    page.caption.replaceChildren(...captionNodes(pieces()));
    paint();
  }

  /* Parts --------------------------------------------------------------------------------------------- */

  const planeBox = el("div", { class: "wb-plane" });
  const faceBox = el("div", { class: "wb-face" });
  page.main.append(planeBox);
  page.side.append(faceBox);
  const asked = "Click where a point should be, or start from a template above.";
  const ask = el("div", { class: "wb-ask" }, el("b", {}, "An empty plane"), asked);
  const templates = Object.entries(v.meta.templates).map(([name, { points }]) => [
    name,
    String(points.length),
    `the ${points.length} points of ${name}`,
  ]);
  const pick = segmented("start from", [...templates, ["", "empty", "an empty plane"]], v.drawing.template, start);
  const addTitle = "every click on the plane adds a point (a double click does so at any time)";
  const add = toggle("add points", addTitle, false, (on) => {
    v.adding = on;
    left.canvas.focus({ preventScroll: true });
  });
  const bin = button("delete", "delete the chosen points (Delete)", remove);
  const back = button("undo", "undo (Ctrl+Z)", () => turn("undo"));
  const forth = button("redo", "redo (Ctrl+Shift+Z)", () => turn("redo"));
  const digits = toggle("numbers", "write every point's number beside it", v.numbers, (on) => {
    v.numbers = on;
    paint();
  });
  const naming = el("input", {
    type: "text",
    placeholder: "name this group",
    maxlength: 40,
    "aria-label": "Name for the chosen points; Enter joins them by a line",
  });
  naming.addEventListener("keydown", (event) => {
    const name = naming.value.trim();
    if (event.key !== "Enter" || !name) return;
    edited(nameGroup(v.drawing, name, v.chosen));
    page.say(`group ${name}`);
    naming.value = "";
  });
  const state = el("span", { class: "wb-state" });
  if (v.meta.live) page.strip.append(pick.node, add.node, bin, back, forth, naming);
  page.strip.append(spacer(), digits.node, state);
  const left = surface(planeBox, {
    label: PLANE_LABEL,
    draw: (ctx, w, h) => drawPlane(ctx, v, theme(page.root), w, h),
  });
  const right = surface(faceBox, {
    label: "Photograph with the points that were found",
    draw: (ctx, w, h) => drawFound(ctx, v, theme(page.root), w, h),
  });
  planeBox.append(ask);
  page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));

  /* Pointing ------------------------------------------------------------------------------------------- */

  /* The id of the point within `limit` pixels of p, null for none. */
  function hit(where, p, limit) {
    const places = placesOf(v, where);
    const ids = [...places.keys()].filter((id) => v.drawing.ids.includes(id));
    const view = where === "plane" ? planeView(v, left.width, left.height) : photoView(v, right.width, right.height);
    const k = nearestPoint(
      ids.map((id) => view.px(places.get(id))),
      p,
      limit,
    );
    return k < 0 ? null : ids[k];
  }
  const reach = (event) => (event.pointerType === "touch" ? 24 : 12);
  function describe(id) {
    const i = v.drawing.ids.indexOf(id);
    const k = v.found ? v.found.ids.indexOf(id) : -1;
    const { label, anchor } = pointLook(v.drawing, i, v.meta);
    const found = () => `${v.found.photo[k].map((x) => x.toFixed(1)).join(", ")} px`;
    return [
      `${i}  ${label}`,
      ["on the plane", v.drawing.points[i].map((x) => x.toFixed(3)).join(", ")],
      ...(k >= 0 ? [["in the photograph", found()]] : []),
      [anchor ? "an anchor that was trained" : "off its convention: zero-shot"],
    ];
  }
  function point(where, event) {
    const on = where === "plane" ? left : right;
    const id = hit(where, on.at(event), reach(event));
    if (id === v.hover) return;
    v.hover = id;
    v.pointed = where;
    if (where === "plane") left.canvas.style.cursor = id == null ? "crosshair" : "grab";
    paint();
    if (id == null) tip.hide();
    else tip.corner(on.canvas, event.clientX, describe(id));
  }
  function unpoint() {
    v.hover = null;
    v.pointed = "";
    tip.hide();
    paint();
  }
  listenToPlane(v, left, { hit, reach, point, unpoint, edited, refresh, say: page.say, hideTip: tip.hide });
  right.canvas.addEventListener("pointermove", (event) => point("photo", event));
  right.canvas.addEventListener("pointerleave", unpoint);
  right.canvas.addEventListener("pointerdown", (event) => {
    const id = hit("photo", right.at(event), reach(event));
    if (id == null) return;
    v.chosen = new Set([id]);
    v.hover = id;
    refresh();
  });

  /* Keys ---------------------------------------------------------------------------------------------- */

  const nudge = ([x, y], by) => {
    edited(movePoints(v.drawing, v.chosen, x * by, y * by, v.span[0], v.span[1]), v.drawing, SLOW_MS);
  };
  const lastChosen = () => v.drawing.ids.indexOf([...v.chosen].at(-1));
  function next(by) {
    const { ids } = v.drawing;
    if (!ids.length) return;
    const at = lastChosen();
    const k = at < 0 ? (by > 0 ? 0 : ids.length - 1) : (at + by + ids.length) % ids.length;
    v.chosen = new Set([ids[k]]);
    v.hover = ids[k];
    v.pointed = "";
    page.say(`point ${k}, ${pointLook(v.drawing, k, v.meta).label}`);
    refresh();
  }
  function addBeside() {
    const i = lastChosen();
    const at = i < 0 ? [0.5, 0.5] : v.drawing.points[i].map((x) => Math.min(v.span[1], x + 0.03));
    const grown = addPoint(v.drawing, at, v.meta.most);
    if (grown === v.drawing) return;
    v.chosen = new Set([grown.ids.at(-1)]);
    edited(grown, v.drawing, SLOW_MS);
    page.say(`point ${grown.ids.length - 1} added`);
  }
  page.root.addEventListener("keydown", (event) => {
    if (event.target === naming || !v.meta.live) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const arrow = ARROWS[key];
    const control = event.ctrlKey || event.metaKey;
    if (control && key === "z") turn(event.shiftKey ? "redo" : "undo");
    else if (control && key === "y") turn("redo");
    else if (event.target !== left.canvas && event.target !== right.canvas) return;
    else if (arrow && v.chosen.size) nudge(arrow, event.shiftKey ? 0.02 : 0.004);
    else if (arrow || key === "PageDown") next(1);
    else if (key === "PageUp") next(-1);
    else if (key === "Delete" || key === "Backspace") remove();
    else if (key === "Enter" || key === "Insert") addBeside();
    else if (key === "Escape" && (v.chosen.size || v.adding)) {
      v.chosen.clear();
      v.adding = false;
      add.set(false);
      refresh();
    } else return;
    event.preventDefault();
  });

  /* What is saved, and news ------------------------------------------------------------------------------ */

  function sheet() {
    const { drawing, stem = "shape" } = v.meta;
    const look = theme(page.root);
    const panel = (title, draw) => ({
      w: drawing.face,
      h: drawing.face,
      title,
      draw: (ctx, w, h) => draw(ctx, v, look, w, h),
    });
    const found = new Map(v.found?.ids.map((id, k) => [id, v.found.photo[k]]));
    return {
      name: stem,
      title: v.drawing.name,
      caption: [captionText(pieces())],
      panels: [panel("On the plane", drawPlane), panel("On the photograph", drawFound)],
      rows: () => [
        ["point", "name", "plane_x", "plane_y", "photo_x_px", "photo_y_px"],
        ...v.drawing.points.map((p, i) => [
          i,
          pointLook(v.drawing, i, v.meta).label,
          ...p.map((x) => x.toFixed(5)),
          ...(found.get(v.drawing.ids[i]) ?? ["", ""]),
        ]),
      ],
    };
  }
  function read(what) {
    v.meta = host.meta;
    if (what !== "state") v.found = v.meta.found;
    if (what === "payload" || !v.photo) {
      loadImage(host.bytes("photo"), (bitmap) => {
        v.photo = bitmap;
        right.paint();
      });
    }
    const given = host.get("drawing");
    if (!waiting && !v.dragged && given.at !== v.drawing.at) {
      // opened from a file
      past.push(v.drawing);
      v.drawing = given;
      v.chosen.clear();
      store?.keep(v.drawing);
    }
    pending = waiting != null || (v.meta.of ?? 0) !== (v.drawing.at || 0);
    refresh();
  }
  read("first");
  if (store && newer(store.kept, v.drawing, store.tab)) setTimeout(() => take(store.kept, 0));
  const stop = host.watch(read);
  return () => {
    stop();
    clearTimeout(waiting);
    left.close();
    right.close();
    page.close();
  };
}
