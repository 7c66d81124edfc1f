/* shape.js: a drawing on the face plane (left) and its points found on the photograph (right). State "drawing":
{name, template, points: [[x, y]], ids, origin (index in the template or -1), groups: [{name, part, closed, ids}], at
(ms of the last edit, 0 untouched), tab}; committed when an edit is finished. Ids stay with their points, so what was
found for an older drawing still belongs to the right ones. In the app a drawing is kept by the browser as well.
Pure: fromTemplate, addPoint, dropPoints, movePoints, nameGroup, planeSpan, offAnchor, pointLook, history, newer. */

import { drawDots, drawLines, drawPhoto, drawTag } from "./draw.js";
import { fitFace, nearestPoint } from "./geometry.js";
import { button, el, frame, segmented, spacer, theme, toggle, tooltip } from "./page.js";
import { loadImage, surface } from "./surface.js";

const SHAPE_SAME = 5e-4;
const SHAPE_STORE = "workbench.shape";

export function fromTemplate(name, template) {
  if (!template) return { name: "shape", template: "", points: [], ids: [], origin: [], groups: [] };
  const ids = template.points.map((_, i) => i);
  return {
    name: template.face.name,
    template: name,
    points: template.points.map((p) => [...p]),
    ids,
    origin: [...ids],
    groups: template.groups.map((g) => ({ name: g.name, part: g.part, closed: g.closed, ids: [...g.ids] })),
  };
}

const ownName = (d) => (d.name.endsWith(", edited") ? d.name : `${d.name}, edited`);

/* One point more; the drawing as it was when it is full. */
export function addPoint(d, [x, y], most) {
  if (d.points.length >= most) return d;
  const last = Math.max(d.last ?? -1, ...d.ids) + 1; // no id is used twice, so nothing found for another point shows as this one
  return {
    ...d,
    last,
    name: ownName(d),
    points: [...d.points, [x, y]],
    ids: [...d.ids, last],
    origin: [...d.origin, -1],
  };
}

export function dropPoints(d, gone) {
  const keep = d.ids.map((id, i) => (gone.has(id) ? -1 : i)).filter((i) => i >= 0);
  const pick = (list) => keep.map((i) => list[i]);
  const groups = d.groups.map((g) => ({ ...g, ids: g.ids.filter((id) => !gone.has(id)) })).filter((g) => g.ids.length);
  return { ...d, name: ownName(d), points: pick(d.points), ids: pick(d.ids), origin: pick(d.origin), groups };
}

/* Together, as far as all of them stay within lo..hi. */
export function movePoints(d, which, dx, dy, lo, hi) {
  const moved = d.points.filter((_, i) => which.has(d.ids[i]));
  const room = (delta, k) =>
    Math.max(lo - Math.min(...moved.map((p) => p[k])), Math.min(hi - Math.max(...moved.map((p) => p[k])), delta));
  if (!moved.length) return d;
  const u = room(dx, 0);
  const v = room(dy, 1);
  return { ...d, name: ownName(d), points: d.points.map((p, i) => (which.has(d.ids[i]) ? [p[0] + u, p[1] + v] : p)) };
}

/* A line of one's own through points in the order of their numbers; the same name again replaces it, no points end it. */
export function nameGroup(d, name, which) {
  const rest = d.groups.filter((g) => g.name !== name);
  const ids = d.ids.filter((id) => which.has(id));
  return { ...d, name: ownName(d), groups: ids.length ? [...rest, { name, part: "other", closed: false, ids }] : rest };
}

/* What of the plane is in view: a little more than [0, 1], and every point. */
export function planeSpan(points, reach) {
  const all = points.flat();
  return [
    Math.max(-reach, Math.min(-0.06, ...all.map((v) => v - 0.03))),
    Math.min(1 + reach, Math.max(1.06, ...all.map((v) => v + 0.03))),
  ];
}

/* How far a point lies from where its template has it; null for a point of one's own. */
function offAnchor(d, i, template) {
  const at = template?.points[d.origin[i]];
  return at ? Math.hypot(d.points[i][0] - at[0], d.points[i][1] - at[1]) : null;
}

/* Colour, name and whether the point stands where its template has it. */
export function pointLook(d, i, meta) {
  const template = meta.templates[d.template];
  const k = d.origin[i];
  const group = d.groups.find((g) => g.ids.includes(d.ids[i]));
  const away = offAnchor(d, i, template);
  const part = group && group.part !== "other" ? meta.colours[group.part] : null;
  return away == null
    ? { colour: part || meta.own, label: group ? group.name : "a point of your own", anchor: false }
    : { colour: template.face.colour[k], label: template.face.label[k], anchor: away < SHAPE_SAME };
}

/* Undo and redo over whole drawings. */
export function history(most = 200) {
  let past = [];
  let future = [];
  return {
    push(d) {
      past = [...past, d].slice(-most);
      future = [];
    },
    undo(now) {
      if (!past.length) return null;
      future.push(now);
      return past.pop();
    },
    redo(now) {
      if (!future.length) return null;
      past.push(now);
      return future.pop();
    },
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };
}

/* Whether the browser's kept drawing is to be taken up: nothing was drawn in this session yet, or this very tab drew on. */
export const newer = (stored, state, tab) =>
  Boolean(stored?.at) && Array.isArray(stored.points) && (!state.at || (stored.tab === tab && stored.at > state.at));

const SHAPE_STYLE = `
.wb-shape .wb-stage { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.wb-shape .wb-plane { position: relative; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; background: var(--raised); }
.wb-shape .wb-face { border: 1px solid transparent; }
.wb-shape .wb-plane canvas { cursor: crosshair; }
.wb-shape .wb-ask { position: absolute; left: 12px; right: 12px; top: 46%; text-align: center; pointer-events: none; color: var(--soft); font-size: 15px; }
.wb-shape .wb-ask b { display: block; color: var(--ink); font-weight: 600; margin-bottom: 3px; }
.wb-shape .wb-state { color: var(--soft); min-width: 11ch; text-align: right; }
.wb-shape input[type=text] { font: inherit; color: var(--ink); background: none; border: 1px solid var(--line); border-radius: 6px; padding: 2px 8px; width: 15ch; min-height: 26px; }
@container (max-width: 700px) { .wb-shape .wb-stage { grid-template-columns: minmax(0, 1fr); } .wb-shape .wb-state { text-align: left; } .wb-shape .wb-strip button { min-height: 32px; } }
`;

export default function mount(host) {
  const page = frame(host, "Shape", SHAPE_STYLE);
  const tip = tooltip(page);
  const past = history();
  page.root.classList.add("wb-shape");
  const store = host.kind === "streamlit" ? browserStore() : null;
  let meta = host.meta;
  let drawing = host.get("drawing");
  let photo = null;
  let shown = null;
  let hover = null;
  let pointed = "";
  let chosen = new Set();
  let span = [0, 1];
  let adding = false;
  let numbers = drawing.points.length <= 12;
  let waiting = 0;
  let pending = false;
  let band = null;
  let drag = null;
  let lastTap = null;

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function edited(next, before = drawing, wait = 60) {
    if (next === before) return;
    past.push(before);
    take(next, wait);
  }
  function take(next, wait = 60) {
    drawing = { ...next, at: Date.now(), tab: store?.tab || "" };
    chosen = new Set([...chosen].filter((id) => drawing.ids.includes(id)));
    store?.keep(drawing);
    clearTimeout(waiting);
    pending = true;
    waiting = setTimeout(() => {
      waiting = 0;
      host.set("drawing", tidy(drawing));
    }, wait);
    refresh();
  }
  const tidy = (d) => ({ ...d, points: d.points.map((p) => p.map((v) => Math.round(v * 1e5) / 1e5)) });
  function step(way) {
    const next = past[way](drawing);
    if (next) take(next);
  }
  function remove() {
    if (!chosen.size) return;
    const count = chosen.size;
    edited(dropPoints(drawing, chosen));
    page.say(count === 1 ? "point deleted" : `${count} points deleted`);
  }
  function start(name) {
    chosen.clear();
    edited(fromTemplate(name, meta.templates[name]));
    page.say(name ? `${meta.templates[name].points.length} points of ${name}` : "an empty plane");
  }

  function read(what) {
    const fresh = what !== "state";
    meta = host.meta;
    if (fresh) {
      if (what === "payload" || !photo)
        loadImage(host.bytes("photo"), (bitmap) => {
          photo = bitmap;
          right.paint();
        });
      shown = meta.found;
    }
    const given = host.get("drawing");
    if (!waiting && !drag && given.at !== drawing.at) {
      past.push(drawing);
      drawing = given;
      chosen.clear();
      store?.keep(drawing);
    } // opened from a file
    pending = waiting > 0 || (meta.of ?? 0) !== (drawing.at || 0);
    refresh();
  }
  function refresh() {
    if (!drag) span = planeSpan(drawing.points, meta.reach);
    const n = drawing.points.length;
    const touched = drawing.ids.some((_, i) => !pointLook(drawing, i, meta).anchor);
    pick.set(drawing.template);
    bin.disabled = !chosen.size || !meta.live;
    back.disabled = !past.canUndo;
    forth.disabled = !past.canRedo;
    bin.textContent = chosen.size > 1 ? `delete ${chosen.size}` : "delete";
    naming.hidden = chosen.size < 2 || !meta.live;
    ask.hidden = n > 0;
    state.textContent = pending
      ? "finding …"
      : `${n} ${n === 1 ? "point" : "points"}${touched ? "" : n ? " as trained" : ""}`;
    page.root.dataset.ready = String(!pending);
    page.caption.textContent = pending && shown ? `${meta.caption} · a newer drawing is being found` : meta.caption;
    left.paint();
    right.paint();
  }

  /* Drawing ------------------------------------------------------------------------------------------- */

  function viewOf(canvas, [lo, hi]) {
    const v = fitFace(canvas.width, canvas.height);
    const k = hi - lo;
    return {
      ...v,
      px: ([x, y]) => v.px([(x - lo) / k, (y - lo) / k]),
      unit: (p) => v.unit(p).map((t) => lo + t * k),
      scale: v.side / k,
    };
  }
  const planeView = () => viewOf(left, span);
  const photoView = () => viewOf(right, [-meta.margin, 1 + meta.margin]);
  function square(ctx, view, colour) {
    const a = view.px([0, 0]);
    const b = view.px([1, 1]);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.strokeRect(Math.round(a[0]) + 0.5, Math.round(a[1]) + 0.5, Math.round(b[0] - a[0]), Math.round(b[1] - a[1]));
  }
  function places(where) {
    // id -> place, on the plane now, or on the photograph as last found
    const list = where === "plane" ? drawing : shown || { ids: [], points: [] };
    return new Map(list.ids.map((id, k) => [id, list.points[k]]));
  }
  function drawShape(ctx, view, at, w, h, onPhoto) {
    const look = new Map(drawing.ids.map((id, i) => [id, pointLook(drawing, i, meta)]));
    const lines = meta.templates[drawing.template]?.face.lines || [];
    const r = drawing.points.length > 150 ? 1.8 : drawing.points.length > 40 ? 3.2 : 4.2;
    ctx.save();
    ctx.lineJoin = ctx.lineCap = "round";
    ctx.lineWidth = 1.4;
    ctx.globalAlpha = onPhoto ? 0.85 : 0.7;
    for (const g of drawing.groups) {
      const path = (g.closed ? [...g.ids, g.ids[0]] : g.ids).map((id) => at.get(id)).filter(Boolean);
      ctx.strokeStyle =
        lines.find((l) => l.name === g.name)?.colour || (g.part === "other" ? meta.own : meta.colours[g.part]);
      ctx.beginPath();
      path.forEach((p, k) => ctx[k ? "lineTo" : "moveTo"](...view.px(p)));
      if (ctx.strokeStyle === meta.own.toLowerCase()) {
        ctx.save();
        ctx.strokeStyle = "rgb(0 0 0 / .45)";
        ctx.lineWidth = 3.4;
        ctx.stroke();
        ctx.restore();
      } // yellow on a light ground
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    drawing.ids.forEach((id, k) => {
      const p = at.get(id);
      if (!p) return;
      const { colour, anchor } = look.get(id);
      const [x, y] = view.px(p);
      if (chosen.has(id) || id === hover) {
        ctx.beginPath();
        ctx.arc(x, y, r + 4.5, 0, 7);
        ctx.strokeStyle = onPhoto ? "#fff" : theme(page.root).ink;
        ctx.lineWidth = chosen.has(id) ? 2 : 1.2;
        ctx.stroke();
      }
      ctx.beginPath();
      if (anchor) ctx.arc(x, y, r, 0, 7);
      else {
        const s = r * 1.45;
        ctx.moveTo(x, y - s);
        ctx.lineTo(x + s, y);
        ctx.lineTo(x, y + s);
        ctx.lineTo(x - s, y);
        ctx.closePath();
      }
      ctx.fillStyle = colour;
      ctx.fill();
      ctx.strokeStyle = "rgb(0 0 0 / .7)";
      ctx.lineWidth = 0.9;
      ctx.stroke();
      if (numbers && id !== hover) {
        ctx.font = `10px ${theme(page.root).font}`;
        ctx.fillStyle = onPhoto ? "#fff" : theme(page.root).ink;
        if (onPhoto) {
          ctx.shadowColor = "#000";
          ctx.shadowBlur = 3;
        }
        ctx.fillText(String(k), x + r + 2, y - r - 1);
        ctx.shadowBlur = 0;
      }
    });
    if (hover != null && at.get(hover) && pointed !== (onPhoto ? "photo" : "plane")) {
      const k = drawing.ids.indexOf(hover);
      drawTag(ctx, `${k}  ${look.get(hover)?.label ?? ""}`, ...view.px(at.get(hover)), w, h, theme(page.root).font);
    }
    ctx.restore();
  }
  function drawPlane(ctx, w, h) {
    const v = planeView();
    const t = theme(page.root);
    const guide = meta.templates[meta.guide];
    square(ctx, v, t.hair);
    if (guide) {
      drawLines(ctx, v, guide.points, guide.face, { alpha: 1, width: 1.2, colour: t.faint });
      drawDots(ctx, v, guide.points, { colour: guide.points.map(() => t.faint) }, { radius: 1.6, rim: null });
    }
    const template = meta.templates[drawing.template];
    ctx.strokeStyle = t.soft;
    ctx.lineWidth = 1;
    ctx.setLineDash([2, 3]);
    drawing.ids.forEach((_, i) => {
      if (offAnchor(drawing, i, template) > SHAPE_SAME) {
        ctx.beginPath();
        ctx.moveTo(...v.px(template.points[drawing.origin[i]]));
        ctx.lineTo(...v.px(drawing.points[i]));
        ctx.stroke();
      }
    });
    ctx.setLineDash([]);
    drawShape(ctx, v, places("plane"), w, h, false);
    if (band) {
      const [p, q] = band.map(v.px);
      ctx.strokeStyle = t.ink;
      ctx.setLineDash([4, 3]);
      ctx.strokeRect(p[0], p[1], q[0] - p[0], q[1] - p[1]);
      ctx.setLineDash([]);
    }
  }
  function drawFound(ctx, w, h) {
    const v = photoView();
    drawPhoto(ctx, v, photo, 0.12);
    square(ctx, v, "rgb(255 255 255 / .3)"); // the crop that the network sees
    const k = shown ? shown.ids.indexOf(hover) : -1;
    if (k >= 0 && shown.path) {
      // from the plane's place over every layer
      const way = shown.path.map((stepAt) => v.px(stepAt[k]));
      ctx.strokeStyle = "rgb(255 255 255 / .8)";
      ctx.lineWidth = 1.2;
      ctx.beginPath();
      way.forEach((p, s) => ctx[s ? "lineTo" : "moveTo"](...p));
      ctx.stroke();
      ctx.fillStyle = "#fff";
      way.slice(0, -1).forEach((p) => {
        ctx.beginPath();
        ctx.arc(...p, 2, 0, 7);
        ctx.fill();
      });
    }
    drawShape(ctx, v, places("photo"), w, h, true);
  }

  /* Parts --------------------------------------------------------------------------------------------- */

  const planeBox = el("div", { class: "wb-plane" });
  const faceBox = el("div", { class: "wb-face" });
  page.main.append(planeBox);
  page.side.append(faceBox);
  const ask = el(
    "div",
    { class: "wb-ask" },
    el("b", {}, "An empty plane"),
    "Click where a point should be, or start from a template above.",
  );
  const pick = segmented(
    "start from",
    [
      ...Object.entries(meta.templates).map(([name, t]) => [
        name,
        String(t.points.length),
        `the ${t.points.length} points of ${name}`,
      ]),
      ["", "empty", "an empty plane"],
    ],
    drawing.template,
    start,
  );
  const add = toggle(
    "add points",
    "every click on the plane adds a point (a double click does so at any time)",
    false,
    (on) => {
      adding = on;
      left.canvas.focus({ preventScroll: true });
    },
  );
  const bin = button("delete", "delete the chosen points (Delete)", remove);
  const back = button("undo", "undo (Ctrl+Z)", () => step("undo"));
  const forth = button("redo", "redo (Ctrl+Shift+Z)", () => step("redo"));
  const digits = toggle("numbers", "write every point's number beside it", numbers, (on) => {
    numbers = on;
    left.paint();
    right.paint();
  });
  const naming = el("input", {
    type: "text",
    placeholder: "name this group",
    maxlength: 40,
    "aria-label": "Name for the chosen points; Enter joins them by a line",
  });
  naming.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !naming.value.trim()) return;
    edited(nameGroup(drawing, naming.value.trim(), chosen));
    page.say(`group ${naming.value.trim()}`);
    naming.value = "";
  });
  const state = el("span", { class: "wb-state" });
  page.strip.append(
    ...(meta.live ? [pick.node, add.node, bin, back, forth, naming] : []),
    spacer(),
    digits.node,
    state,
  );
  const left = surface(planeBox, {
    label:
      "Face plane. PageUp and PageDown choose a point, arrow keys move it, Enter adds one beside it, Delete removes it.",
    draw: drawPlane,
  });
  const right = surface(faceBox, { label: "Photograph with the points that were found", draw: drawFound });
  planeBox.append(ask);

  /* Pointer and keys ------------------------------------------------------------------------------------ */

  const reachOf = (event) => (event.pointerType === "touch" ? 24 : 12);
  function hit(where, p, limit) {
    const at = places(where);
    const ids = [...at.keys()].filter((id) => drawing.ids.includes(id));
    const view = where === "plane" ? planeView() : photoView();
    const k = nearestPoint(
      ids.map((id) => view.px(at.get(id))),
      p,
      limit,
    );
    return k < 0 ? null : ids[k];
  }
  function point(where, event) {
    const id = hit(where, (where === "plane" ? left : right).at(event), reachOf(event));
    if (id === hover) return;
    hover = id;
    pointed = where;
    if (where === "plane") left.canvas.style.cursor = id == null ? "crosshair" : "grab";
    left.paint();
    right.paint();
    if (id == null) {
      tip.hide();
      return;
    }
    const i = drawing.ids.indexOf(id);
    const k = shown ? shown.ids.indexOf(id) : -1;
    const look = pointLook(drawing, i, meta);
    tip.corner(where === "plane" ? left.canvas : right.canvas, event.clientX, [
      `${i}  ${look.label}`,
      ["on the plane", drawing.points[i].map((v) => v.toFixed(3)).join(", ")],
      ...(k >= 0 ? [["in the photograph", `${shown.photo[k].map((v) => v.toFixed(1)).join(", ")} px`]] : []),
      [look.anchor ? "an anchor that was trained" : "off its convention: zero-shot"],
    ]);
  }
  function unhover() {
    hover = null;
    pointed = "";
    tip.hide();
    left.paint();
    right.paint();
  }
  left.canvas.addEventListener(
    "touchstart",
    (event) => {
      // a finger on a point drags it, elsewhere it scrolls the page
      const touch = event.touches[0];
      if (meta.live && (adding || hit("plane", left.at(touch), 24) != null)) event.preventDefault();
    },
    { passive: false },
  );
  left.canvas.addEventListener("pointerdown", (event) => {
    if (!meta.live || event.button) return;
    const p = left.at(event);
    const place = planeView().unit(p);
    const id = hit("plane", p, reachOf(event));
    const now = event.timeStamp;
    const twice = lastTap && now - lastTap.now < 400 && Math.hypot(p[0] - lastTap.p[0], p[1] - lastTap.p[1]) < 12;
    lastTap = id == null ? { now, p } : null;
    left.canvas.setPointerCapture(event.pointerId);
    left.canvas.focus({ preventScroll: true });
    tip.hide();
    if (id == null && (adding || twice || !drawing.points.length)) {
      const before = drawing;
      const next = addPoint(
        drawing,
        place.map((v) => Math.min(span[1], Math.max(span[0], v))),
        meta.most,
      );
      if (next === drawing) {
        page.say(`a shape has at most ${meta.most} points`);
        return;
      }
      drawing = next;
      chosen = new Set([next.ids.at(-1)]);
      lastTap = null;
      drag = { before, from: place, base: next, moved: true };
    } else if (id != null) {
      if (event.shiftKey) {
        chosen.has(id) ? chosen.delete(id) : chosen.add(id);
      } else if (!chosen.has(id)) chosen = new Set([id]);
      drag = { before: drawing, from: place, base: drawing, moved: false };
    } else if (event.pointerType !== "touch") band = [place, place];
    else chosen.clear();
    refresh();
  });
  left.canvas.addEventListener("pointermove", (event) => {
    const place = planeView().unit(left.at(event));
    if (drag) {
      if (!drag.moved && Math.hypot(...place.map((v, k) => v - drag.from[k])) * planeView().scale < 2) return;
      drag.moved = true;
      drawing = movePoints(drag.base, chosen, place[0] - drag.from[0], place[1] - drag.from[1], span[0], span[1]);
      left.canvas.style.cursor = "grabbing";
      left.paint();
    } else if (band) {
      band = [band[0], place];
      left.paint();
    } else point("plane", event);
  });
  const letGo = (event) => {
    if (drag) {
      const { before, moved } = drag;
      const next = drawing;
      drag = null;
      drawing = before;
      if (event.type === "pointercancel" || !moved) refresh();
      else edited(next, before);
    } else if (band) {
      const [[a, b], [c, d]] = band;
      const within = (v, p, q) => v >= Math.min(p, q) && v <= Math.max(p, q);
      const inside = drawing.ids.filter(
        (_, i) => within(drawing.points[i][0], a, c) && within(drawing.points[i][1], b, d),
      );
      chosen = new Set(event.shiftKey ? [...chosen, ...inside] : inside);
      band = null;
      refresh();
    }
  };
  left.canvas.addEventListener("pointerup", letGo);
  left.canvas.addEventListener("pointercancel", letGo);
  left.canvas.addEventListener("pointerleave", () => {
    if (!drag) unhover();
  });
  right.canvas.addEventListener("pointermove", (event) => point("photo", event));
  right.canvas.addEventListener("pointerdown", (event) => {
    const id = hit("photo", right.at(event), reachOf(event));
    if (id != null) {
      chosen = new Set([id]);
      hover = id;
      refresh();
    }
  });
  right.canvas.addEventListener("pointerleave", unhover);
  function nudge(dx, dy) {
    edited(movePoints(drawing, chosen, dx, dy, span[0], span[1]), drawing, 350);
  }
  function next(way) {
    const n = drawing.ids.length;
    if (!n) return;
    const at = drawing.ids.indexOf([...chosen].at(-1));
    const k = at < 0 ? (way > 0 ? 0 : n - 1) : (at + way + n) % n;
    chosen = new Set([drawing.ids[k]]);
    hover = drawing.ids[k];
    pointed = "";
    page.say(`point ${k}, ${pointLook(drawing, k, meta).label}`);
    refresh();
  }
  page.root.addEventListener("keydown", (event) => {
    if (event.target === naming || !meta.live) return;
    const far = event.shiftKey ? 0.02 : 0.004;
    const way = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") step(event.shiftKey ? "redo" : "undo");
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "y") step("redo");
    else if (event.target !== left.canvas && event.target !== right.canvas) return;
    else if (way) chosen.size ? nudge(...way) : next(1);
    else if (event.key === "PageDown" || event.key === "PageUp") next(event.key === "PageDown" ? 1 : -1);
    else if (event.key === "Delete" || event.key === "Backspace") remove();
    else if (event.key === "Enter" || event.key === "Insert") {
      const i = drawing.ids.indexOf([...chosen].at(-1));
      const at = i < 0 ? [0.5, 0.5] : drawing.points[i].map((v) => Math.min(span[1], v + 0.03));
      const grown = addPoint(drawing, at, meta.most);
      if (grown !== drawing) {
        chosen = new Set([grown.ids.at(-1)]);
        edited(grown, drawing, 350);
        page.say(`point ${grown.ids.length - 1} added`);
      }
    } else if (event.key === "Escape" && (chosen.size || adding)) {
      chosen.clear();
      adding = false;
      add.set(false);
      refresh();
    } else return;
    event.preventDefault();
  });

  read("first");
  if (store && newer(store.kept, drawing, store.tab)) setTimeout(() => take(store.kept, 0));
  const stop = host.watch(read);
  return () => {
    stop();
    clearTimeout(waiting);
    left.close();
    right.close();
    page.close();
  };
}

/* The browser's own memory of the last drawing, for reloads; where it is forbidden, the session's memory must do. */
function browserStore() {
  const attempt = (f) => {
    try {
      return f();
    } catch {
      return null;
    }
  };
  const tab =
    attempt(() => {
      const id = sessionStorage.getItem(SHAPE_STORE) || Math.random().toString(36).slice(2);
      sessionStorage.setItem(SHAPE_STORE, id);
      return id;
    }) || "";
  return {
    tab,
    kept: attempt(() => JSON.parse(localStorage.getItem(SHAPE_STORE))),
    keep: (d) => attempt(() => localStorage.setItem(SHAPE_STORE, JSON.stringify(d))),
  };
}
