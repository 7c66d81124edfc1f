/* Faces followed through a film. Frames and what was found travel once; pointing at the timeline, the slider, arrow
keys and playing show other frames here alone. State "selection" (tracking.py: SELECTION). */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { between } from "./geometry.js";
import { number } from "./numbers.js";
import { button, el, frame, segmented, slider, theme, toggle, tooltip } from "./page.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";
import { drawFrame, drawTimeline, frameAt, timelineTall } from "./tracking_charts.js";
import { trackingFacts, trackingRows, trackingState } from "./tracking_state.js";

const KEPT = 40; // decoded frames
const AHEAD = 6;
const STYLE = `
.wb-time {
  margin-top: 12px;
}
.wb-faces {
  width: 100%;
  border-collapse: collapse;
}
.wb-faces caption {
  text-align: left;
  font-weight: 600;
  padding-bottom: 4px;
}
.wb-faces :is(th, td) {
  text-align: right;
  font-weight: 400;
  padding: 4px 0 4px 8px;
}
.wb-faces thead th {
  color: var(--soft);
}
.wb-faces tr > :first-child {
  text-align: left;
  padding-left: 0;
}
.wb-faces tbody tr {
  border-top: 1px solid var(--line);
}
.wb-faces i {
  display: inline-block;
  width: 9px;
  height: 9px;
  margin-right: 7px;
}
`;

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Tracking", STYLE);
  const tip = tooltip(page);
  const band = el("div", { class: "wb-time" });
  page.caption.parentElement.before(band);
  const holder = el("div", { class: "wb-face" });
  const list = el("div");
  page.main.append(holder);
  page.side.append(list);
  let v = trackingState(host);
  let parts = {};
  /** @type {Map<number, ImageBitmap | null>} null while a frame is decoded */
  let decoded = new Map();
  let shown = null;
  let timer = 0;

  /* Frames ------------------------------------------------------------------------------------------------ */

  function want(k) {
    if (k >= v.count || decoded.has(k)) return;
    const mine = decoded;
    mine.set(k, null);
    loadImage(v.jpeg(k), (bitmap) => {
      mine.set(k, bitmap);
      if (mine === decoded && v.frame() === k) paint();
    });
    for (const old of mine.keys()) {
      if (mine.size <= KEPT) break;
      if (old !== k && old !== v.frame()) mine.delete(old);
    }
  }
  function image() {
    const k = v.frame();
    want(k);
    if (v.playing != null) for (let ahead = 1; ahead <= AHEAD; ahead++) want(k + ahead);
    shown = decoded.get(k) ?? shown; // the old picture stays until the new one is there
    return shown;
  }

  /* What changes, and who is told -------------------------------------------------------------------------- */

  const pieces = () => composeCaption(v.meta.caption, trackingFacts(v));
  function paint() {
    film.paint();
    time.paint();
    page.caption.replaceChildren(...captionNodes(pieces()));
    list.replaceChildren(table());
    parts.frame?.set(v.frame());
  }
  function change(values, commit = true) {
    v.s = { ...v.s, ...values };
    for (const [key, part] of Object.entries(parts)) if (key in v.s) part.set(v.s[key]);
    paint();
    if (commit) host.set("selection", { ...v.s });
  }
  function table() {
    const { meta } = v;
    const k = v.frame();
    const rows = meta.faces.map((one, face) => {
      const state = one.states[k];
      const dot = el("i", { style: `background: ${meta.states[state] ?? "transparent"}` });
      return el(
        "tr",
        { style: face === v.s.face ? "font-weight: 650" : null },
        el("td", {}, dot, `face ${face + 1}: ${state === "away" ? "not seen so far" : state}`),
        el("td", {}, one.confidence[k] ? number(one.confidence[k]) : "–"),
        ...one.angles.map((values) => el("td", {}, values[k] == null ? "–" : `${Math.round(values[k])}°`)),
      );
    });
    const heads = ["", "confidence", ...meta.names].map((text) => el("th", { scope: "col" }, text));
    return el(
      "table",
      { class: "wb-faces" },
      el("caption", {}, place(k)),
      el("thead", {}, el("tr", {}, ...heads)),
      el("tbody", {}, ...rows),
    );
  }
  const place = (k) =>
    [`Frame ${k}`, v.meta.times && `${number(v.meta.times[k])} s`, v.meta.files?.[k]].filter(Boolean).join(", ");

  /* Playing and stepping ------------------------------------------------------------------------------------- */

  function stop() {
    clearTimeout(timer);
    timer = 0;
    if (v.playing == null) return;
    const at = v.playing;
    v.playing = null;
    parts.play.set(false);
    change({ frame: at });
  }
  function next() {
    if (v.playing == null) return;
    if (v.playing + 1 >= v.count) {
      stop();
      return;
    }
    v.playing += 1;
    paint();
    timer = setTimeout(next, 1000 * v.lasts(v.playing));
  }
  function play(on) {
    if (!on) {
      stop();
      return;
    }
    v.hover = null;
    v.playing = v.s.frame + 1 < v.count ? v.s.frame : 0;
    paint();
    timer = setTimeout(next, 1000 * v.lasts(v.playing));
  }
  function keyed(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -v.count, End: v.count }[event.key];
    if (event.key === " ") {
      parts.play.set(v.playing == null);
      play(v.playing == null);
    } else if (by && !(event.ctrlKey || event.metaKey || event.altKey)) {
      stop();
      v.hover = null;
      change({ frame: between(v.s.frame + by, 0, v.count - 1) });
      page.say(captionText(pieces()));
    } else return;
    event.preventDefault();
  }

  /* The film and its timeline --------------------------------------------------------------------------------- */

  const film = surface(holder, {
    label: "Tracking: the film. Left and right step through the frames, space plays.",
    ratio: (w) => Math.round((w * v.meta.size[1]) / v.meta.size[0]),
    draw: (ctx, w, h) => drawFrame(ctx, v, image(), w, h),
  });
  film.canvas.addEventListener("keydown", keyed);
  film.canvas.addEventListener("click", (event) => {
    const [x, y] = film.at(event).map((p) => (p * v.meta.size[0]) / film.width);
    const k = v.frame();
    const inside = (r) => r && x >= r[0] && x <= r[2] && y >= r[1] && y <= r[3];
    const face = v.meta.faces.findIndex((one) => inside(one.regions[k]));
    if (face >= 0 && face !== v.s.face) change({ face });
  });
  const time = surface(band, {
    label: "Tracking: the timeline. Left and right step through the frames, space plays.",
    ratio: () => timelineTall(v.meta.faces.length),
    draw: (ctx, w) => drawTimeline(ctx, v, theme(page.root), w),
  });
  time.canvas.style.touchAction = "pan-y";
  time.canvas.style.cursor = "ew-resize";
  time.canvas.addEventListener("keydown", keyed);
  let held = false;
  const over = (event) => {
    const k = frameAt(time.at(event)[0], v.count, time.width);
    if (k == null) {
      if (!held) leave();
      return;
    }
    if (v.playing != null) return;
    v.hover = k;
    tip.show(event.clientX, event.clientY, [place(k), ["face", v.meta.faces[v.s.face].states[k]]]);
    paint();
  };
  const leave = () => {
    tip.hide();
    if (v.hover == null) return;
    v.hover = null;
    paint();
  };
  time.canvas.addEventListener("pointermove", over);
  time.canvas.addEventListener("pointerleave", () => held || leave());
  time.canvas.addEventListener("pointerdown", (event) => {
    stop();
    held = true;
    time.canvas.setPointerCapture(event.pointerId);
    over(event);
  });
  const release = () => {
    if (!held) return;
    held = false;
    const at = v.hover;
    v.hover = null;
    tip.hide();
    if (at != null) change({ frame: at });
  };
  time.canvas.addEventListener("pointerup", release);
  time.canvas.addEventListener("pointercancel", release);

  /* Controls, what is saved, beginning and end ------------------------------------------------------------------ */

  function sheet() {
    const { drawing, title, stem, size } = v.meta;
    const wide = drawing.face + drawing.gap + drawing.side;
    const tall = Math.round((drawing.face * size[1]) / size[0]);
    return {
      name: stem,
      title: `Tracking, ${title}`,
      caption: [captionText(pieces())],
      panels: [
        {
          w: wide,
          h: tall + 20 + timelineTall(v.meta.faces.length),
          draw: (ctx) => {
            ctx.save();
            ctx.beginPath();
            ctx.rect(0, 0, drawing.face, tall);
            ctx.clip();
            drawFrame(ctx, v, image(), drawing.face, tall);
            ctx.restore();
            ctx.translate(0, tall + 20);
            drawTimeline(ctx, v, theme(page.root), wide);
          },
        },
      ],
      rows: () => trackingRows(v),
    };
  }
  function show() {
    const { meta, s } = v;
    const local = (k) => {
      stop();
      v.hover = k;
      paint();
    };
    parts = {
      play: toggle("▶ play", "play the film, at its own pace where it tells one", false, play),
      frame: slider(
        "frame",
        "which frame is shown",
        { min: 0, max: v.count - 1, step: 1, value: s.frame, format: String },
        local,
        (k) => {
          v.hover = null;
          change({ frame: k });
        },
      ),
      axes: toggle("axes", "draw the head's axes", s.axes, (axes) => change({ axes })),
      points: toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points })),
    };
    const step = (by, sign, words) =>
      button(sign, words, () => {
        stop();
        change({ frame: between(v.s.frame + by, 0, v.count - 1) });
      });
    const faces = meta.faces.map((_, k) => [k, `face ${k + 1}`, `the numbers of face ${k + 1}`]);
    if (faces.length > 1) parts.face = segmented("", faces, s.face, (face) => change({ face }));
    page.strip.replaceChildren(
      parts.play.node,
      step(-1, "‹", "one frame back"),
      parts.frame.node,
      step(1, "›", "one frame on"),
      ...(parts.face ? [parts.face.node] : []),
      parts.axes.node,
      parts.points.node,
    );
    parts.frame.node.querySelector("input").style.width = "min(240px, 34vw)";
    page.foot.replaceChildren(...saveButtons(page, meta.drawing, sheet));
    film.fit();
    time.fit();
    paint();
  }
  show();
  const unwatch = host.watch((what) => {
    if (what === "payload") {
      clearTimeout(timer);
      v = trackingState(host);
      decoded = new Map();
      show();
    } else change(host.get("selection"), false);
  });
  return () => {
    clearTimeout(timer);
    unwatch();
    film.close();
    time.close();
    page.close();
  };
}
