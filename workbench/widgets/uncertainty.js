/* How sure a model is of each landmark, where its patches lie and how it came there, with an occluder to drag over the
face. State "selection" (uncertainty.py: DEFAULTS) and "occluder": {x, y, w, h, fill} or {}; while an occluder
moves, Python gets it at a pace that it can answer, and the last picture stays until then. */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { occluderRect, sameOccluder } from "./cover.js";
import { between, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { number } from "./numbers.js";
import { animate, el, frame, theme, tooltip } from "./page.js";
import { moveRect, pacer, rectEditor } from "./rect.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";
import { barsTall, drawBars, drawHead, drawKeys, HEAD_TALL, keysTall, rowOf } from "./uncertainty_bars.js";
import { drawFace } from "./uncertainty_face.js";
import { uncertaintyFacts } from "./uncertainty_numbers.js";
import { drawPatchRow, patchesTall, patchRow } from "./uncertainty_patch.js";
import { uncertaintyState } from "./uncertainty_state.js";
import { uncertaintyStrip } from "./uncertainty_strip.js";
import { UNCERTAINTY_STYLE } from "./uncertainty_style.js";
import { detailNodes, effectNodes, keyNodes } from "./uncertainty_words.js";

const STAGE_MS = 1000; // that playing a stage takes
const PAUSE_MS = 350;

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Uncertainty of the landmarks", UNCERTAINTY_STYLE);
  const tip = tooltip(page);
  const v = uncertaintyState(host);
  /** @type {Record<string, any>} */
  let parts = {};
  let stopMotion = () => {};
  /** @type {(() => void) | null} stops what plays */
  let playing = null;

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function commit() {
    v.given = { ...v.s };
    host.set("selection", v.given);
  }
  function change(values, ms = 220) {
    v.s = { ...v.s, ...values };
    sync();
    settle(ms);
    commit();
  }
  function sync() {
    for (const key of ["ellipses", "patches", "path", "unit", "sort", "recalibrated"]) parts[key].set(v.s[key]);
    parts.time.set(v.step());
    parts.cover.set(Boolean(v.occluder));
    parts.fill.set(v.occluder ? v.occluder.fill : "grey");
    parts.fill.node.hidden = !v.occluder;
  }
  /* What is drawn moves from what was drawn to what is true now. */
  function settle(ms = 0) {
    const towards = v.towards();
    const put = (share) => {
      towards(share);
      face.paint();
      bars.paint();
      patches.paint();
    };
    stopMotion();
    if (ms) stopMotion = animate(ms, put);
    else put(1);
    words();
  }
  const pieces = () => composeCaption(v.meta.caption, uncertaintyFacts(v.meta, v.s, v.step()));
  function words() {
    page.caption.replaceChildren(...captionNodes(pieces()));
    parts.unitText.textContent = v.unitText();
    keys.replaceChildren(...keyNodes(v));
    keys.hidden = !v.s.patches;
    detail.replaceChildren(...detailNodes(v));
    patches.sync();
    showEffect();
  }
  function showEffect() {
    effect.classList.toggle("waiting", v.asked());
    effect.replaceChildren(...effectNodes(v));
  }
  function goTo(t, tell) {
    v.t = t;
    const at = v.at();
    // The mean face lies before all layers; a link, which cannot say so, then names the landing's.
    v.s = { ...v.s, stage: at ? at[0] : null, layer: at ? at[1] : v.meta.shape[1] - 1 };
    parts.time.set(v.step());
    settle();
    if (tell) commit();
  }
  /* Stops on a step: between two of them nothing was computed. */
  function hold(tell = true) {
    if (!playing) return;
    playing();
    playing = null;
    parts.play.textContent = "▶";
    goTo(v.step(), tell);
  }
  function play() {
    const [stages, layers] = v.meta.shape;
    let cancel = () => {};
    let pause = null;
    playing = () => {
      cancel();
      clearTimeout(pause);
    };
    parts.play.textContent = "❚❚";
    const stage = (k) => {
      if (k === stages) return hold();
      cancel = animate(STAGE_MS, (share) => {
        goTo((k + share) * layers, false);
        if (share === 1) pause = setTimeout(() => stage(k + 1), PAUSE_MS);
      });
    };
    goTo(0, false);
    pause = setTimeout(() => stage(0), PAUSE_MS);
  }

  /* Occluder ------------------------------------------------------------------------------------------- */

  const pace = pacer((value) => {
    if (sameOccluder(value, v.told)) {
      if (!v.asked()) pace.answered(); // nothing new: no answer would come
      return;
    }
    v.told = value;
    showEffect();
    host.set("occluder", value);
  });
  function setOccluder(next, final) {
    hold();
    if (v.hover != null) point(null); // the effect is to be seen on all
    v.occluder = next;
    sync();
    pace.offer(next ? { ...next } : {}, final);
    face.paint();
    box.place();
  }
  /** @type {(rect: number[], fill: string) => any} */
  const asOccluder = ([x0, y0, x1, y1], fill) => {
    const [x, y, w, h] = [x0, y0, x1 - x0, y1 - y0].map((value) => Math.round(value * 1e4) / 1e4);
    return { x, y, w, h, fill };
  };
  /* A first occluder: over the pinned landmark, or over the lower half of the face. */
  function firstOccluder() {
    const p = v.s.landmark == null ? null : v.shown.points[v.s.landmark];
    if (!p) return asOccluder([0.3, 0.58, 0.7, 0.8], "grey");
    const around = [p[0] - 0.11, p[1] - 0.09, p[0] + 0.11, p[1] + 0.09];
    return asOccluder(moveRect(around, 0, 0, { bounds: [0, 0, 1, 1] }), "grey");
  }

  /* Pointing and pinning ------------------------------------------------------------------------------- */

  function describe(i) {
    const sigma = v.sigmas()?.[i];
    const { short } = v.unit();
    const spread = [short === "%" ? "of the eyes' distance" : "√(σx σy)", `${number(v.spreads()[i])}${short}`];
    return [
      `${v.meta.face.label[i]} · ${i}`,
      ...(sigma ? [["σ x · y", `${sigma.map(v.px).join(" · ")} px`], spread] : []),
      ["patch", `${v.px(v.meta.rects[v.stage()][i][2])} px`],
    ];
  }
  function point(i) {
    if (i == null) tip.hide();
    if (i === v.hover) return;
    v.hover = i;
    face.paint();
    bars.paint();
    detail.replaceChildren(...detailNodes(v));
  }
  function pin(i) {
    if (i != null || v.s.landmark != null) change({ landmark: i === v.s.landmark ? null : i }, 0);
  }
  const unpoint = () => point(null);
  /* next: of a key -> the landmark that it leads to, null for a key that means nothing here. */
  const keyed = (next) => (event) => {
    if (event.key === "Escape") {
      v.hover = null;
      tip.hide();
      pin(v.s.landmark);
    } else if (event.key === "Enter" || event.key === " ") {
      const i = v.focus();
      v.hover = null;
      pin(i);
    } else {
      const i = next(event.key);
      if (i == null) return;
      point(i);
      page.say(`${v.meta.face.label[i]}, landmark ${i}, sigma ${number(v.spreads()[i])} ${v.unit().text}`);
    }
    event.preventDefault();
  };

  /* Parts --------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  const keys = el("div", { class: "wb-keys" });
  const effect = el("div", { class: "wb-effect" });
  const detail = el("div", { class: "wb-detail" });
  const header = el("div", { class: "wb-head" });
  page.main.append(holder, keys, effect);
  page.side.append(header);

  const face = surface(holder, {
    label: "Face with the uncertainty of its landmarks. Arrow keys move, Enter pins, Escape clears.",
    below: () => 0,
    draw: (ctx, w, h) => {
      drawFace(ctx, v, w, h);
      box.place();
    },
  });
  const view = () => fitFace(face.width, face.height);
  const live = () => v.meta.live && host.kind !== "file";
  const box = rectEditor(holder, {
    label: "Occluder. Arrow keys move it, with shift they resize it, Delete takes it away.",
    get: () => (v.occluder && live() ? occluderRect(v.occluder) : null),
    px: (p) => view().px(p),
    unit: (p) => view().unit(p),
    step: () => 0.01,
    limits: () => ({ bounds: [0, 0, 1, 1], min: 0.03 }),
    change: (rect, final) => setOccluder(asOccluder(rect, v.occluder.fill), final),
    remove: () => {
      setOccluder(null, true);
      face.canvas.focus();
    },
  });
  const hit = (event) => {
    const i = nearestPoint(v.shown.points, view().unit(face.at(event)), 14 / view().side);
    return i < 0 ? null : i;
  };
  holder.addEventListener("pointermove", (event) => {
    const i = hit(event);
    face.canvas.style.cursor = i == null ? "default" : "pointer";
    if (i != null) tip.show(event.clientX, event.clientY, describe(i));
    point(i);
  });
  holder.addEventListener("pointerleave", unpoint);
  holder.addEventListener("click", (event) => {
    if (!box.moved) pin(hit(event));
  });
  const byArrow = (key) => (key.startsWith("Arrow") ? stepPoint(v.shown.points, v.focus(), key) : null);
  face.canvas.addEventListener("keydown", keyed(byArrow));
  face.canvas.addEventListener("blur", unpoint);

  const bars = surface(page.side, {
    label: "Uncertainty of every landmark, sorted. Up and down move, Enter pins, Escape clears.",
    ratio: (w) => barsTall(v, w, page.root.clientWidth),
    draw: (ctx, w, h) => drawBars(ctx, v, theme(page.root), w, h),
  });
  const patches = patchRow(page.side, v, () => theme(page.root));
  page.side.append(detail);
  const barAt = (event) => v.inOrder()[Math.floor(bars.at(event)[1] / rowOf(v, bars.height))] ?? null;
  bars.canvas.addEventListener("pointermove", (event) => point(barAt(event)));
  bars.canvas.addEventListener("pointerleave", unpoint);
  bars.canvas.addEventListener("blur", unpoint);
  bars.canvas.addEventListener("click", (event) => pin(barAt(event)));
  const alongBars = (key) => {
    const by = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[key];
    const order = v.inOrder();
    const from = v.focus() == null ? -1 : order.indexOf(v.focus());
    return by ? order[between(from + by, 0, order.length - 1)] : null;
  };
  bars.canvas.addEventListener("keydown", keyed(alongBars));

  function strip() {
    const acts = {
      change,
      commit,
      setOccluder,
      cover: (on) => setOccluder(on ? firstOccluder() : null, true),
      play: () => (playing ? hold() : play()),
      goTo: (t) => {
        hold(false);
        goTo(t, false);
      },
    };
    parts = uncertaintyStrip(page, header, v, live(), acts);
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
  }
  function sheet() {
    const { drawing, title, stem = "uncertainty" } = v.meta;
    const look = theme(page.root);
    const at = v.at();
    return {
      name: `${stem}-${at ? `stage${at[0] + 1}-layer${at[1] + 1}` : "mean"}`,
      title,
      caption: [captionText(pieces())],
      panels: [
        {
          w: drawing.face,
          h: drawing.face + keysTall(v),
          draw: (ctx, w) => {
            drawFace(ctx, v, w, w);
            if (v.s.patches) drawKeys(ctx, v, look, w + 16);
          },
        },
        {
          w: drawing.side,
          h: drawing.face,
          draw: (ctx, w, h) => {
            drawHead(ctx, v, look, w);
            ctx.translate(0, HEAD_TALL);
            const below = v.s.landmark == null ? 0 : patchesTall(v, w) + 16;
            drawBars(ctx, v, look, w, h - HEAD_TALL - below);
            ctx.translate(0, h - HEAD_TALL - below + 16);
            if (below) drawPatchRow(ctx, v, look, w);
          },
        },
      ],
      rows: savedRows,
    };
  }
  function savedRows() {
    const { meta } = v;
    const sigmas = v.sigmas();
    const before = v.before();
    const pixels = (value, digits) => (value == null ? "" : (value * meta.size).toFixed(digits));
    const names = [
      "landmark",
      "name",
      "part",
      "crop_x_px",
      "crop_y_px",
      "crop_sigma_x_px",
      "crop_sigma_y_px",
      "crop_uncovered_sigma_px",
      "sigma_scale",
    ];
    const rows = meta.path[v.step()].map((place, i) => [
      i,
      meta.face.label[i],
      meta.face.part[i],
      ...place.map((value) => pixels(value, 3)),
      ...[0, 1].map((axis) => pixels(sigmas?.[i][axis], 4)),
      pixels(before && before[i] / v.unit().scale, 4),
      sigmas ? v.scale(v.stage()) : "",
    ]);
    return [names, ...rows];
  }

  /* Beginning, news and end ------------------------------------------------------------------------------ */

  function read() {
    v.meta = host.meta;
    loadImage(host.bytes("photo"), (bitmap) => {
      v.photo = bitmap;
      face.paint();
      patches.paint();
    });
    const { occluder } = v.meta;
    if (!occluder) v.cover = v.coverOf = null;
    else {
      loadImage(host.bytes("cover"), (bitmap) => {
        v.cover = bitmap;
        v.coverOf = occluder;
        face.paint();
        patches.paint();
      });
    }
  }
  let built = "";
  function refresh(ms) {
    v.adopt(box.busy);
    const { shape, live: answers, face: scheme, ocular, calibration } = v.meta;
    const form = JSON.stringify([shape, answers, scheme.brackets, Boolean(ocular), calibration]);
    if (form !== built) strip(); // not on every answer: a control that is being used must stay
    built = form;
    sync();
    settle(ms);
    box.place();
  }
  read();
  refresh(0);
  const stop = host.watch((what) => {
    const held = playing && v.given;
    hold(false);
    if (what === "payload") {
      tip.hide();
      read();
    }
    refresh(260);
    if (held && held === v.given) commit(); // Python chose no other step, so it has to hear of this one
    if (what === "payload") pace.answered();
  });
  return () => {
    stop();
    playing?.();
    stopMotion();
    pace.stop();
    face.close();
    bars.close();
    patches.close();
    page.close();
  };
}
