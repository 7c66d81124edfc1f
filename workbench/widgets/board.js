/* What the views of one system's own mechanisms have alike: a row of small faces to choose from, all under one
pointer, a large face below it, and charts beside that. What they show differs: see `Board`. */

import { cellOf, drawRow, hitRow, rowPlan, valueAt } from "./board_row.js";
import { BOARD_STYLE } from "./board_style.js";
import { captionNodes, captionText, composeCaption } from "./captions.js";
import { drawDots, drawLines, drawPhoto, drawRing, drawTag, drawTruth } from "./draw.js";
import { ARROWS, between, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { drawCell, drawGrid, drawMapLegend, markAt } from "./heatmap.js";
import { drawFaceLegend } from "./legend.js";
import { number } from "./numbers.js";
import { el, frame, spoken, theme, tooltip } from "./page.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

/**
 * @typedef {{ key: string, label: string, title: (v: any) => string, tall: (v: any, w: number) => number,
 *   draw: (ctx: any, v: any, look: any, w: number, h: number) => void,
 *   hit?: (v: any, at: number[], w: number, h: number) => number | null, count?: (v: any) => number,
 *   now?: (v: any) => number | null, lines?: (v: any, i: number) => any[], pick?: (v: any, i: number | null) => any,
 *   across?: (v: any) => number }} Chart a drawing beside the face; with `count` its parts can be pointed at and picked
 *
 * @typedef {{ name: string, state: (host: import("./host.js").Host) => any, row: (v: any) => any[],
 *   chosen: (v: any) => number, choose: (v: any, k: number) => any, map: (v: any) => any, mapText: (v: any) => string,
 *   over: (ctx: any, v: any, view: any, w: number, h: number) => void, lines: (v: any, i: number) => any[],
 *   charts: Chart[], strip: (v: any, change: (values: any, commit?: boolean) => void) => Record<string, any>,
 *   facts: (v: any) => any, said?: (v: any) => any[], rows: (v: any) => any[][], plain?: (v: any) => string,
 *   legend?: (v: any) => any, dim?: (v: any) => number,
 *   ready?: (kit: any) => any }} Board
 *   row: the small faces; map: of the large face, or null; over: what lies on it; said: sentences below it; plain: what
 *   stands in the legend's place where there is no map; legend: the scale of lines (legend.js); dim: how dark the
   photograph is under them
 */

const OPACITY = 0.8;

/**
 * @param {import("./host.js").Host} host
 * @param {Board} spec
 */
export function board(host, spec) {
  const page = frame(host, spec.name, BOARD_STYLE);
  const tip = tooltip(page);
  const band = el("div", { class: "wb-band" });
  page.strip.after(band);
  const holder = el("div", { class: "wb-face" });
  const said = el("div", { class: "wb-said" });
  page.main.append(holder, said);
  let v = spec.state(host);
  let parts = {};
  let hovered = null;

  /* What changes, and who is told ---------------------------------------------------------------------- */

  const pieces = () => composeCaption(v.meta.caption, spec.facts(v));
  let laid = "";
  function paint() {
    const wanted = [spec.row(v).length, ...charts.map((chart) => chart.spec.tall(v, chart.surface.width))].join();
    if (wanted !== laid) for (const made of [row, ...charts.map((chart) => chart.surface)]) made.fit();
    laid = wanted;
    row.paint();
    face.paint();
    for (const chart of charts) chart.surface.paint();
    page.caption.replaceChildren(...captionNodes(pieces()));
    said.replaceChildren(...(spec.said?.(v) ?? []));
    for (const chart of charts) chart.title.textContent = chart.spec.title(v);
  }
  function change(values, commit = true) {
    v.s = { ...v.s, ...values };
    for (const key of Object.keys(parts)) parts[key].set(v.s[key]);
    paint();
    if (commit) host.set("selection", { ...v.s });
  }
  function leave() {
    tip.hide();
    v.place = v.hover = hovered = null;
    v.spots = {};
    paint();
  }

  /* The row ------------------------------------------------------------------------------------------------ */

  const row = surface(band, {
    label: `${spec.name}: a row of faces. Left and right choose one.`,
    ratio: (w) => rowPlan(spec.row(v).length, w).tall,
    draw: (ctx, w) => drawRow(ctx, v, spec.row(v), spec.chosen(v), hovered, theme(page.root), w),
  });
  row.canvas.addEventListener("pointermove", (event) => {
    const items = spec.row(v);
    const found = hitRow(items.length, row.width, row.at(event));
    hovered = found?.k ?? null;
    v.place = found?.place ?? null;
    row.canvas.style.cursor = found ? "pointer" : "default";
    if (v.place) tip.show(event.clientX, event.clientY, placeLines(items));
    else tip.hide();
    paint();
  });
  const placeLines = (items) => [
    "at this place",
    ...items.filter((item) => item.map).map((item) => [item.title, number(valueAt(v.place, item.map))]),
  ];
  row.canvas.addEventListener("pointerleave", leave);
  row.canvas.addEventListener("click", (event) => {
    const found = hitRow(spec.row(v).length, row.width, row.at(event));
    if (found) change(spec.choose(v, found.k));
  });
  row.canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const items = spec.row(v);
    const k = between(spec.chosen(v) + by, 0, items.length - 1);
    change(spec.choose(v, k));
    page.say(`${items[k].title}, ${items[k].sub}`);
    event.preventDefault();
  });

  /* The large face ------------------------------------------------------------------------------------------ */

  const face = surface(holder, {
    label: `${spec.name}: the face. Arrow keys move between landmarks, Enter pins, Escape clears.`,
    ratio: (w) => w + v.meta.drawing.legend,
    below: () => v.meta.drawing.legend,
    draw: drawFace,
  });
  const strip = () => v.meta.drawing.legend;
  const view = () => fitFace(face.width, face.height - strip());
  function drawFace(ctx, w, h) {
    const { drawing } = v.meta;
    const at = fitFace(w, h - drawing.legend);
    const map = spec.map(v);
    const points = v.drawn();
    const f = v.hover ?? v.s.landmark;
    ctx.fillStyle = drawing.night;
    ctx.fillRect(0, 0, w, h);
    drawPhoto(ctx, at, v.image, map ? 0.15 : (spec.dim?.(v) ?? 0));
    ctx.save();
    ctx.beginPath();
    ctx.rect(at.x0, at.y0, at.side, at.side);
    ctx.clip();
    v.under?.(ctx, at, null);
    if (map) drawGrid(ctx, at, map.image, OPACITY);
    if (v.s.points) drawLines(ctx, at, points, v.face, { alpha: 0.4, width: 1, colour: "#fff" });
    spec.over(ctx, v, at, w, h - drawing.legend);
    if (v.s.points) {
      const radius = (i) => (i === f ? 4.6 : 2.2);
      drawDots(ctx, at, points, v.face, { radius, alpha: 0.95, rim: "rgb(255 255 255 / .75)" });
      drawTruth(ctx, at, v.meta, points);
    }
    if (v.place && map) drawCell(ctx, at, cellOf(v.place, map), map.h, map.w);
    if (f != null) {
      const [x, y] = at.px(points[f]);
      drawRing(ctx, x, y, 4.6, "#fff", 1.6);
      if (f === v.s.landmark && v.hover == null) drawRing(ctx, x, y, 8.4, "#fff", 1.2);
      drawTag(ctx, `${v.face.label[f]} · ${f}`, x, y, w, h - drawing.legend);
    }
    ctx.restore();
    const value = v.place && map ? valueAt(v.place, map) : null;
    if (map) drawMapLegend(ctx, w, h, drawing, map.span, v.maps, spec.mapText(v), markAt(value, map.span));
    else if (spec.legend?.(v)) drawFaceLegend(ctx, w, h, drawing, spec.legend(v));
    else if (spec.plain) {
      ctx.fillStyle = drawing.nightMuted;
      ctx.font = "11px system-ui";
      ctx.textBaseline = "middle";
      ctx.fillText(spec.plain(v), 18, h - drawing.legend / 2, w - 36);
    }
  }
  holder.addEventListener("pointermove", (event) => {
    const place = view().unit(face.at(event));
    const on = place.every((x) => x >= 0 && x < 1);
    const i = on ? nearestPoint(v.drawn(), place, 11 / view().side) : -1;
    v.place = on ? place : null;
    v.hover = i < 0 ? null : i;
    face.canvas.style.cursor = i < 0 ? "crosshair" : "pointer";
    const map = spec.map(v);
    const lines = i >= 0 ? spec.lines(v, i) : on && map ? [number(valueAt(place, map)), ...cellLine(place, map)] : [];
    if (lines.length) tip.corner(holder, event.clientX, lines);
    else tip.hide();
    paint();
  });
  const cellLine = (place, map) => {
    const [r, c] = cellOf(place, map);
    return [["cell", `y ${r}, x ${c} of ${map.h} × ${map.w}`]];
  };
  holder.addEventListener("pointerleave", leave);
  holder.addEventListener("click", () => {
    if (kit.busy()) return;
    if (v.hover != null) change({ landmark: v.hover === v.s.landmark ? null : v.hover });
    else if (v.s.landmark != null) change({ landmark: null });
  });
  face.canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      v.hover = null;
      change({ landmark: null });
    } else if (event.key === "Enter" || event.key === " ") {
      if (v.hover != null) change({ landmark: v.hover });
    } else if (ARROWS[event.key]) {
      v.hover = stepPoint(v.drawn(), v.hover ?? v.s.landmark, event.key);
      page.say(spoken(spec.lines(v, v.hover)));
      paint();
    } else return;
    event.preventDefault();
  });
  face.canvas.addEventListener("blur", leave);

  /* Charts beside it ---------------------------------------------------------------------------------------- */

  const charts = spec.charts.map((one) => {
    const title = el("p", { class: "wb-heading" });
    page.side.append(title);
    const made = surface(page.side, {
      label: `${one.label}.${one.count ? " Arrow keys move, Enter chooses, Escape clears." : ""}`,
      ratio: (w) => one.tall(v, w),
      draw: (ctx, w, h) => one.draw(ctx, v, theme(page.root), w, h),
    });
    if (one.count) listen(one, made);
    return { spec: one, surface: made, title };
  });
  function listen(one, made) {
    const { canvas } = made;
    const hit = (event) => one.hit(v, made.at(event), made.width, made.height);
    canvas.addEventListener("pointermove", (event) => {
      const i = hit(event);
      v.spots = i == null ? {} : { [one.key]: i };
      canvas.style.cursor = i == null ? "default" : "pointer";
      if (i == null) tip.hide();
      else tip.show(event.clientX, event.clientY, one.lines(v, i));
      paint();
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const i = hit(event);
      if (i != null) change(one.pick(v, i === one.now(v) ? null : i));
    });
    canvas.addEventListener("keydown", (event) => {
      const across = one.across?.(v) ?? 1;
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
      if (event.key === "Escape") {
        v.spots = {};
        change(one.pick(v, null));
      } else if (event.key === "Enter" || event.key === " ") {
        if (v.spots[one.key] != null) change(one.pick(v, v.spots[one.key]));
      } else if (by) {
        const i = between((v.spots[one.key] ?? one.now(v) ?? 0) + by, 0, one.count(v) - 1);
        v.spots = { [one.key]: i };
        page.say(spoken(one.lines(v, i)));
        paint();
      } else return;
      event.preventDefault();
    });
  }

  /* Controls, what is saved, beginning and end ------------------------------------------------------------------ */

  const kit = {
    host,
    page,
    holder,
    face,
    view,
    paint,
    change,
    now: () => v,
    busy: () => false,
    /** @type {(busy?: boolean) => void} called after every payload or state from Python */
    arrived: () => {},
    /** @type {any[]} further controls */
    controls: [],
  };
  function sheet() {
    const { drawing, title, stem } = v.meta;
    const look = theme(page.root);
    const wide = drawing.face + drawing.gap + drawing.side;
    const items = spec.row(v);
    const tall = rowPlan(items.length, wide).tall;
    const below = tall + 26;
    return {
      name: stem,
      title: `${spec.name}, ${title}`,
      caption: [captionText(pieces()), ...(spec.said?.(v) ?? []).map((node) => node.textContent)],
      panels: [
        {
          w: wide,
          h: below + Math.max(drawing.face + strip(), chartsTall(drawing.side)),
          draw: (ctx) => {
            drawRow(ctx, v, items, spec.chosen(v), null, look, wide);
            ctx.translate(0, below);
            drawFace(ctx, drawing.face, drawing.face + strip());
            ctx.translate(drawing.face + drawing.gap, 0);
            for (const { spec: one } of charts) {
              ctx.font = `600 12px ${look.font}`;
              ctx.fillStyle = look.ink;
              ctx.textBaseline = "top";
              ctx.fillText(one.title(v), 0, 0, drawing.side);
              ctx.translate(0, 22);
              const h = one.tall(v, drawing.side);
              one.draw(ctx, v, look, drawing.side, h);
              ctx.translate(0, h + 12);
            }
          },
        },
      ],
      rows: () => spec.rows(v),
    };
  }
  const chartsTall = (w) => charts.reduce((sum, { spec: one }) => sum + one.tall(v, w) + 34, 0);
  function show() {
    const shown = v;
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      paint();
    });
    parts = spec.strip(v, change);
    page.strip.replaceChildren(...Object.values(parts).map((part) => part.node), ...kit.controls);
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
    paint();
  }
  const extra = spec.ready?.(kit);
  show();
  kit.arrived();
  const unwatch = host.watch((what) => {
    if (what === "payload") {
      const { image } = v;
      v = spec.state(host);
      v.image = image; // the old picture stays until the new one is there
      show();
    } else change(host.get("selection"), false);
    kit.arrived();
  });
  return () => {
    unwatch();
    extra?.();
    row.close();
    face.close();
    for (const chart of charts) chart.surface.close();
    page.close();
  };
}
