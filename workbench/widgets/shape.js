/* A drawing on the face plane (left) and its points found on the photograph (right). State "drawing": that of
shape_edits.js with `at` (ms of the last edit, 0 untouched), `tab` and `live` (a drag goes on); committed when an edit
is finished, and now and then during a drag. Ids stay with their points, so what was found for an older drawing still
belongs to the right ones. In the app a drawing and its history are kept by the browser as well. */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { colourMap } from "./colours.js";
import { between, nearestPoint } from "./geometry.js";
import { el, frame, theme, tooltip } from "./page.js";
import { controls } from "./shape_bar.js";
import { correcting } from "./shape_correct.js";
import { drawFound, drawPlane, photoView, placesOf, planeBox, planeView } from "./shape_drawing.js";
import { describe, dropPoints, fromTemplate, history, nameGroup, newer, planeSpan, pointLook } from "./shape_edits.js";
import { gallery, play } from "./shape_faces.js";
import { listenToKeys } from "./shape_keys.js";
import { listenTo } from "./shape_pointer.js";
import { sheet } from "./shape_sheet.js";
import { browserStore } from "./shape_store.js";
import { SHAPE_STYLE } from "./shape_style.js";
import { addPoints, aligned, copied, distributed, mirrored, moveTwins, turned, twinOf } from "./shape_tools.js";
import { warp } from "./shape_warp.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const PLANE_LABEL =
  "Face plane. PageUp and PageDown choose a point, arrow keys move it, Enter adds one beside it, Delete removes it, " +
  "Ctrl+A chooses all.";
const SLOW_MS = 350; // until a key's edit is committed: others may follow
const QUICK_MS = 60;
const LIVE_MS = 120; // between two commits of a drag
const FEW = 12; // points whose numbers do not hide the drawing

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Shape", SHAPE_STYLE);
  const tip = tooltip(page);
  page.root.classList.add("wb-shape");
  const store = host.kind === "streamlit" ? browserStore() : null;
  const first = host.get("drawing");
  const past = history(store?.pastOf(first.at));
  const v = {
    meta: host.meta,
    drawing: first,
    /** @type {ImageBitmap | null} */
    photo: null,
    /** @type {ImageBitmap | null} */
    average: null,
    background: true,
    found: null,
    /** what was found before the last edit */
    before: null,
    looks: [],
    lookMap: null,
    /** @type {number | null} of the animation */
    step: null,
    back: (_) => null,
    hover: null,
    pointed: "",
    chosen: new Set(),
    span: [0, 1],
    /** @type {number[] | null} what of the plane is in view when it is zoomed: x, y and side */
    view: null,
    /** @type {number[][] | null} two corners of the rectangle that chooses points */
    band: null,
    /** @type {number[][] | null} */
    stroke: null,
    pointer: null,
    closing: false,
    tool: "select",
    count: 20,
    mirror: false,
    snap: false,
    correct: false,
    /** @type {Map<number, number[]>} id -> where a person has put it on the photograph */
    marks: new Map(),
    numbers: false,
    dragged: false,
    pending: false,
  };
  /** @type {[number, number]} */
  const limits = [-v.meta.reach, 1 + v.meta.reach];
  let waiting = null;
  let lastLive = 0;
  let wanted = false; // whether an animation was asked for
  let stopFilm = () => {};
  let shown = null; // which pictures

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function edited(next, before = v.drawing, wait = QUICK_MS) {
    if (next === before) return refresh();
    past.push(before);
    take(next, wait);
  }
  function take(next, wait = QUICK_MS) {
    v.drawing = tidy({ ...next, at: Date.now(), tab: store?.tab || "", live: false });
    if (!wanted) delete v.drawing.film; // of an animation that was played; no undefined travels
    v.before = v.found;
    stopFilm();
    v.chosen = new Set([...v.chosen].filter((id) => v.drawing.ids.includes(id)));
    store?.keep(v.drawing);
    store?.keepPast(v.drawing.at, past.all);
    clearTimeout(waiting);
    v.pending = true;
    waiting = setTimeout(() => {
      waiting = null;
      host.set("drawing", v.drawing);
    }, wait);
    refresh();
  }
  /* A drag that goes on is answered now and then, but is no edit yet. */
  function live() {
    const now = Date.now();
    if (now - lastLive < LIVE_MS || !v.meta.answers) return;
    lastLive = now;
    host.set("drawing", tidy({ ...v.drawing, at: now, tab: store?.tab || "", live: true }));
  }
  const tidy = (d) => ({ ...d, points: d.points.map((p) => p.map((x) => Math.round(x * 1e5) / 1e5)) });
  const template = () => v.meta.templates[v.drawing.template]?.face;
  const twins = () => {
    if (!v.mirror) return new Set();
    const found = [...v.chosen].map((id) => twinOf(v.drawing, id, v.meta.axis, template()));
    return new Set(found.filter((id) => id != null && !v.chosen.has(id)));
  };
  const acts = {
    past,
    edited,
    refresh,
    live,
    paint,
    say: page.say,
    hideTip: tip.hide,
    hit,
    point,
    unpoint,
    reach: (event) => (event.pointerType === "touch" ? 24 : 12),
    finish: () => {},
    turn(by) {
      const next = past[by](v.drawing);
      if (next) take(next);
    },
    remove() {
      const gone = new Set([...v.chosen, ...twins()]);
      if (!gone.size) return;
      edited(dropPoints(v.drawing, gone));
      page.say(gone.size === 1 ? "point deleted" : `${gone.size} points deleted`);
    },
    /* A convention takes the drawing's place; a part or a shape of the library joins it. */
    start(name, joins = false) {
      v.view = null;
      const chosen = v.meta.templates[name];
      if (joins && v.drawing.points.length) {
        const grown = addPoints(v.drawing, chosen.points, v.meta.most);
        const groups = chosen.groups.map((g) => ({ ...g, part: g.part, ids: g.ids.map((k) => grown.ids[k]) }));
        const whole = groups.filter((g) => g.ids.every((id) => id != null));
        v.chosen = new Set(grown.ids);
        edited({ ...grown.drawing, groups: [...grown.drawing.groups, ...whole] });
      } else {
        v.chosen.clear();
        edited(fromTemplate(name, chosen));
      }
      page.say(name ? `${chosen.points.length} points of ${name}` : "an empty plane");
    },
    use(tool) {
      v.tool = tool;
      v.stroke = null;
      left.canvas.focus({ preventScroll: true });
      refresh();
    },
    number: (on) => take({ ...v.drawing, numbers: on }),
    correct(on) {
      v.correct = on;
      if (on) v.tool = "select";
      page.say(on ? "points on the photograph are corrected" : "points on the photograph move the plane");
      refresh();
    },
    mark: (_) => {},
    /* From another shape to this one: points that both have, by id, come from there. */
    animate(name) {
      const other = name ? fromTemplate(name, v.meta.templates[name]) : past.all.past.at(-1);
      if (!other?.points?.length || !v.drawing.points.length) return page.say("there is no other shape yet");
      const same = name ? other.origin : other.ids;
      const mine = name ? v.drawing.origin : v.drawing.ids;
      const film = v.drawing.points.map((p, i) => {
        const k = mine[i] < 0 ? -1 : same.indexOf(mine[i]);
        return k < 0 ? p : other.points[k];
      });
      wanted = true;
      take({ ...v.drawing, film }, 0);
    },
    choose(ids) {
      v.chosen = new Set(ids);
      page.say(`${v.chosen.size} points chosen`);
      refresh();
    },
    join(name) {
      edited(nameGroup(v.drawing, name, v.chosen));
      page.say(`group ${name}`);
    },
    nudge: ([x, y], by) =>
      edited(moveTwins(v.drawing, v.chosen, twins(), x * by, y * by, ...limits), v.drawing, SLOW_MS),
    spin: (angle, by, wait = QUICK_MS) => edited(turned(v.drawing, v.chosen, angle, by, limits), v.drawing, wait),
    align: (axis) => edited(aligned(v.drawing, v.chosen, axis, limits)),
    distribute: () => edited(distributed(v.drawing, v.chosen, limits)),
    duplicate: () => grown(copied(v.drawing, v.chosen, 0.03, v.meta.most)),
    mirrorOnce: () => grown(mirrored(v.drawing, v.chosen, v.meta.axis, v.meta.most)),
    /* by: 0 for the whole plane; about: what stays where it is, the middle of what is chosen or in view. */
    zoom(by, about = null) {
      const [x0, y0, side] = planeBox(v);
      const smaller = by ? side / by : 2;
      if (smaller >= v.span[1] - v.span[0]) v.view = null;
      else {
        const size = Math.max(0.04, smaller);
        const [x, y] = about ?? [x0 + side / 2, y0 + side / 2];
        v.view = [x - ((x - x0) * size) / side, y - ((y - y0) * size) / side, size];
      }
      paint();
    },
    pan(dx, dy) {
      const [x0, y0, side] = v.view;
      const edge = (x) => between(x, limits[0], limits[1] - side);
      v.view = [edge(x0 + dx), edge(y0 + dy), side];
      paint();
    },
  };
  function grown({ drawing, ids }) {
    if (!ids.length) return page.say("nothing to add");
    v.chosen = new Set(ids);
    edited(drawing);
  }
  function paint() {
    left.paint();
    right.paint();
    faces.paint();
  }
  const pieces = () => composeCaption(v.meta.caption, { ...v.meta.facts, pending: v.pending });
  function refresh() {
    if (!v.dragged) v.span = planeSpan(v.drawing.points, v.meta.reach);
    const n = v.drawing.points.length;
    v.looks = v.drawing.points.map((_, i) => pointLook(v.drawing, i, v.meta));
    v.numbers = v.drawing.numbers ?? n <= FEW;
    right.canvas.style.cursor = v.correct ? "crosshair" : "default";
    left.canvas.style.cursor = v.tool === "select" ? "default" : "crosshair";
    ask.hidden = n > 0 || Boolean(v.stroke);
    bar.refresh();
    page.root.dataset.ready = String(!v.pending);
    page.caption.replaceChildren(...captionNodes(pieces()));
    paint();
  }

  /* Parts --------------------------------------------------------------------------------------------- */

  const planeHolder = el("div", { class: "wb-plane" });
  const faceHolder = el("div", { class: "wb-face" });
  page.main.append(planeHolder);
  page.side.append(faceHolder);
  const asked = "Take a tool above and draw, or start from a template. Drawing on the photograph works too.";
  const ask = el("div", { class: "wb-ask" }, el("b", {}, "An empty plane"), asked);
  const bar = controls(page, v, acts);
  const left = surface(planeHolder, {
    label: PLANE_LABEL,
    draw: (ctx, w, h) => drawPlane(ctx, v, theme(page.root), w, h),
  });
  const right = surface(faceHolder, {
    label: "Photograph with the points that were found",
    draw: (ctx, w, h) => drawFound(ctx, v, theme(page.root), w, h),
  });
  planeHolder.append(ask);
  const faces = gallery(page, v, { hover: pointFace, images: (name) => host.bytes(name) });
  page.foot.replaceChildren(
    ...saveButtons(page, v.meta.drawing, () => sheet(v, theme(page.root), faces, captionText(pieces()))),
  );

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
  function point(where, event) {
    const on = where === "plane" ? left : right;
    const id = v.tool === "select" ? hit(where, on.at(event), acts.reach(event)) : null;
    if (id === v.hover) return;
    v.hover = id;
    v.pointed = where;
    if (v.tool === "select") on.canvas.style.cursor = id == null ? "default" : "grab";
    paint();
    if (id == null) tip.hide();
    else tip.corner(on.canvas, event.clientX, describe(v, id));
  }
  /* On a further face. */
  function pointFace(id, event, k) {
    if (id === v.hover && v.pointed === String(k)) return;
    v.hover = id;
    v.pointed = String(k);
    paint();
    if (id == null) tip.hide();
    else tip.corner(faces.canvas, event.clientX, describe(v, id));
  }
  function unpoint() {
    v.hover = null;
    v.pointed = "";
    tip.hide();
    paint();
  }
  listenTo(v, left, "plane", acts);
  listenTo(v, right, "photo", acts);
  listenToKeys(page, v, acts, { canvases: [left.canvas, right.canvas], typing: bar.typing, slow: SLOW_MS });

  /* What is saved, and news ------------------------------------------------------------------------------ */

  const picture = (name, done) => {
    const bytes = host.bytes(name);
    if (bytes) loadImage(bytes, done);
  };
  const { mark, readMarks } = correcting(host, v, store, refresh);
  acts.mark = mark;
  function read(what) {
    v.meta = host.meta;
    const given = host.get("drawing");
    if (what !== "state") {
      v.found = v.meta.found;
      const { atlas, looks } = v.meta;
      v.lookMap = looks ? { bytes: host.bytes("looks"), css: colourMap(host.bytes("lut.inferno")).css } : null;
      v.back = atlas ? warp(atlas.photo, atlas.plane) : () => null;
    }
    if (v.meta.pictures !== shown) {
      shown = v.meta.pictures;
      picture("photo", (bitmap) => {
        v.photo = bitmap;
        right.paint();
      });
      picture("average", (bitmap) => {
        v.average = bitmap;
        refresh();
      });
    }
    if (!waiting && !v.dragged && given.at !== v.drawing.at && !given.live) {
      // opened from a file, or another tab's
      past.push(v.drawing);
      v.drawing = given;
      v.chosen.clear();
      store?.keep(v.drawing);
      store?.keepPast(given.at, past.all);
    }
    v.pending = waiting != null || (!v.dragged && (v.meta.of ?? 0) !== (v.drawing.at || 0));
    // Ids count anew in another drawing, so what was found for that one says nothing of this one.
    if (v.found && (v.found.root ?? 0) !== (v.drawing.root ?? 0)) v.found = null;
    readMarks();
    faces.read();
    refresh();
    if (wanted && v.meta.film && !v.pending) {
      wanted = false;
      stopFilm = play(v, paint, () => page.say("the shape has arrived"));
    }
  }
  read("first");
  if (store && newer(store.kept, v.drawing, store.tab)) {
    const kept = store.pastOf(store.kept.at);
    if (kept) past.adopt(kept);
    setTimeout(() => take(store.kept, 0));
  }
  const stop = host.watch(read);
  return () => {
    stop();
    clearTimeout(waiting);
    stopFilm();
    left.close();
    right.close();
    faces.close();
    page.close();
  };
}
