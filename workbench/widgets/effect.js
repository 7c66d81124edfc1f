/* Where the landmarks go under a change: an arrow at each, and the numbers beside. State "selection": {landmark | null,
times | null} (effect.py: SELECTION). */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { colourMap } from "./colours.js";
import { drawFace, drawMoved } from "./effect_drawing.js";
import { ARROWS, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { number } from "./numbers.js";
import { el, frame, segmented, spoken, theme, tooltip } from "./page.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const STYLE = `
.wb-moves {
  width: 100%;
  border-collapse: collapse;
  font-size: 12.5px;
}
.wb-moves caption {
  text-align: left;
  font-weight: 600;
  padding-bottom: 4px;
}
.wb-moves :is(th, td) {
  text-align: right;
  padding: 2.5px 0 2.5px 8px;
}
.wb-moves thead th {
  font-weight: 400;
  color: var(--soft);
}
.wb-moves tr > :first-child {
  text-align: left;
  padding-left: 0;
  font-weight: 400;
  white-space: nowrap;
}
.wb-moves tbody tr {
  border-top: 1px solid var(--line);
}
.wb-moves tbody tr:last-child > * {
  font-weight: 650;
}
.wb-moves i {
  display: inline-block;
  width: 9px;
  height: 9px;
  border-radius: 50%;
  margin-right: 7px;
}
.wb-one {
  margin: 0;
  color: var(--soft);
  font-size: 12.5px;
  min-height: 2.7em;
}
.wb-one b {
  color: var(--ink);
}
`;
const AUTO = "visible";

/** @param {import("./host.js").Host} host */
function stateOf(host) {
  const v = {
    meta: host.meta,
    s: { ...host.get("selection") },
    /** @type {ImageBitmap | null} */
    image: null,
    /** @type {number | null} */
    hover: null,
    map: colourMap(host.bytes("lut.arrows")),
    focus: () => v.hover ?? v.s.landmark,
    times: () => v.s.times ?? v.meta.auto,
    /** Where the colours end. */
    top: () => Math.max(...v.meta.moved) || 1,
    facts: () => ({ ...v.meta.facts, times: v.times() }),
  };
  return v;
}
const signed = (x) => `${x > 0 ? "+" : ""}${number(x)}`;
const short = (x) => number(Math.round(1000 * x) / 1000);

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "What a change does", STYLE);
  const tip = tooltip(page);
  let v = stateOf(host);
  let bars = null;
  /** @type {Record<string, any>} */
  let parts = {};

  const pieces = () => composeCaption(v.meta.caption, v.facts());
  function paint() {
    face.paint();
    list.paint();
    page.caption.replaceChildren(...captionNodes(pieces()));
    one.replaceChildren(...oneNodes());
  }
  function change(values, commit = true) {
    v.s = { ...v.s, ...values };
    parts.times.set(v.s.times ?? AUTO);
    paint();
    if (commit) host.set("selection", { ...v.s });
  }
  const name = (i) => `${v.meta.face.label[i]} · ${i}`;
  function describe(i) {
    const { moved, percent, sigma } = v.meta;
    return [
      name(i),
      [v.meta.facts.tensor ? "moves by" : "apart", `${short(moved[i])} px`],
      ...(percent ? [["of the eyes' distance", `${short(percent[i])} %`]] : []),
      ...(sigma ? [["σ", `${short(sigma[0][i])} → ${short(sigma[1][i])} px`]] : []),
    ];
  }
  function oneNodes() {
    const f = v.focus();
    if (f == null) return ["Point at a landmark or a bar for its numbers; a click keeps them."];
    const [title, ...rest] = describe(f);
    return [el("b", {}, title), ...rest.map(([left, right]) => ` · ${left} ${right}`)];
  }
  function point(i, event) {
    if (i == null) tip.hide();
    else if (event) tip.corner(holder, event.clientX, describe(i));
    if (i === v.hover) return;
    v.hover = i;
    paint();
  }
  const unpoint = () => point(null);
  const pin = (i) => {
    if (i != null || v.s.landmark != null) change({ landmark: i === v.s.landmark ? null : i });
  };
  const keyed = (next) => (event) => {
    if (event.key === "Escape") {
      unpoint();
      change({ landmark: null });
    } else if (event.key === "Enter" || event.key === " ") {
      const i = v.focus();
      v.hover = null;
      if (i != null) change({ landmark: i });
    } else {
      const i = next(event.key);
      if (i == null) return;
      point(i);
      page.say(spoken(describe(i)));
    }
    event.preventDefault();
  };

  /* Parts ---------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  page.main.append(holder);
  const face = surface(holder, {
    label: "Face with an arrow at each landmark that moves. Arrow keys move, Enter pins, Escape clears.",
    ratio: (w) => w + v.meta.drawing.legend,
    below: () => v.meta.drawing.legend,
    draw: (ctx, w, h) => drawFace(ctx, v, w, h),
  });
  const hit = (event) => {
    const view = fitFace(face.width, face.height - v.meta.drawing.legend);
    const i = nearestPoint(v.meta.before, view.unit(face.at(event)), 16 / view.side);
    return i < 0 ? null : i;
  };
  face.canvas.addEventListener("pointermove", (event) => {
    const i = hit(event);
    face.canvas.style.cursor = i == null ? "default" : "pointer";
    point(i, event);
  });
  face.canvas.addEventListener("pointerleave", unpoint);
  face.canvas.addEventListener("blur", unpoint);
  face.canvas.addEventListener("click", (event) => pin(hit(event)));
  face.canvas.addEventListener(
    "keydown",
    keyed((key) => (ARROWS[key] ? stepPoint(v.meta.before, v.focus(), key) : null)),
  );

  const table = el("table", { class: "wb-moves" });
  const one = el("p", { class: "wb-one" });
  page.side.append(table);
  const list = surface(page.side, {
    label: "How far each landmark moves, by part. Left and right move, Enter pins, Escape clears.",
    ratio: () => 230,
    draw: (ctx, w, h) => {
      bars = drawMoved(ctx, v, theme(page.root), w, h);
    },
  });
  page.side.append(one);
  const barAt = (event) => {
    const k = bars?.at(list.at(event)[0]);
    return k == null ? null : v.meta.face.order[k];
  };
  list.canvas.addEventListener("pointermove", (event) => point(barAt(event)));
  list.canvas.addEventListener("pointerleave", unpoint);
  list.canvas.addEventListener("blur", unpoint);
  list.canvas.addEventListener("click", (event) => pin(barAt(event)));
  list.canvas.addEventListener(
    "keydown",
    keyed((key) => {
      const { order } = v.meta.face;
      const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (!by) return null;
      const from = v.focus() == null ? -1 : order.indexOf(v.focus());
      return order[Math.max(0, Math.min(order.length - 1, from + by))];
    }),
  );

  function rows() {
    const { parts: means, percent, sigma } = v.meta;
    const cells = (tag, values) => values.map((value) => el(tag, {}, value));
    const titles = ["", "mean px", "most px", ...(percent ? ["% of eyes"] : []), ...(sigma ? ["Δσ px"] : [])];
    const row = (part) =>
      el(
        "tr",
        {},
        el(
          "th",
          { scope: "row" },
          part.colour ? el("i", { style: `background:${part.colour}`, "aria-hidden": "true" }) : null,
          part.text,
        ),
        ...cells("td", [
          short(part.mean),
          short(part.most),
          ...(percent ? [short(part.percent)] : []),
          ...(sigma ? [signed(Math.round(1000 * part.sigma) / 1000)] : []),
        ]),
      );
    table.replaceChildren(
      el("caption", {}, v.meta.facts.tensor ? "how far landmarks move" : "how far apart"),
      el("thead", {}, el("tr", {}, ...cells("th", titles))),
      el("tbody", {}, ...means.map(row)),
    );
  }
  function controls() {
    const { times, auto, facts } = v.meta;
    const choices = [
      [AUTO, "as can be seen", `${auto} times as long as they are, so that the longest can be seen`],
      ...times.map((k) => [k, `${k}×`, k === 1 ? "arrows at their true length" : `${k} times as long as they are`]),
    ];
    parts = {
      times: segmented("arrows", choices, v.s.times ?? AUTO, (k) => change({ times: k === AUTO ? null : k })),
    };
    const said = [facts.tensor, facts.where, facts.done].filter(Boolean).join(" · ");
    page.strip.replaceChildren(el("b", {}, said), parts.times.node);
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
  }
  function sheet() {
    const { drawing, title, stem = "what-if", face: scheme, moved, percent, sigma } = v.meta;
    const tall = drawing.face + drawing.legend;
    return {
      name: stem,
      title,
      caption: [captionText(pieces())],
      panels: [
        { w: drawing.face, h: tall, draw: (ctx, w, h) => drawFace(ctx, v, w, h) },
        { w: drawing.side, h: tall, draw: (ctx, w, h) => drawMoved(ctx, v, theme(page.root), w, h) },
      ],
      rows: () => [
        ["landmark", "name", "part", "moved_photo_px", "percent_of_eyes", "sigma_before_px", "sigma_after_px"],
        ...moved.map((d, i) => [
          i,
          scheme.label[i],
          scheme.part[i],
          d.toFixed(4),
          percent ? percent[i].toFixed(4) : "",
          ...[0, 1].map((k) => (sigma ? sigma[k][i].toFixed(4) : "")),
        ]),
      ],
    };
  }

  /* Beginning, news and end ------------------------------------------------------------------------------- */

  function show() {
    const shown = v;
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      face.paint();
    });
    rows();
    controls();
    change({}, false);
  }
  show();
  const unwatch = host.watch((what) => {
    if (what !== "payload") return change(host.get("selection"), false);
    const kept = v.image;
    v = stateOf(host);
    v.image = kept; // the old picture stays until the new one is ready
    show();
  });
  return () => {
    unwatch();
    face.close();
    list.close();
    page.close();
  };
}
