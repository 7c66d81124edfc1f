/* Where each point of a structure prompt looks. Every map is here; nothing is asked of Python while the pointer moves.
State "selection": {landmark | null, layer, head | null, opacity, scale, paths} (prompts.py: SELECTION). */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { between, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { number } from "./numbers.js";
import { el, frame, segmented, slider, spoken, theme, toggle, tooltip } from "./page.js";
import { drawFace, drawPlane, drawThumbs, planeView, thumbsLayout } from "./prompts_drawing.js";
import { promptsState } from "./prompts_state.js";
import { PROMPTS_STYLE } from "./prompts_style.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const KEYS = "Arrow keys move, Enter pins, Escape lets go.";

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Prompts", PROMPTS_STYLE);
  const tip = tooltip(page);
  let v = promptsState(host);
  /** @type {Record<string, any>} */
  let parts = {};

  const pieces = () => composeCaption(v.meta.caption, v.facts());
  function paint() {
    face.paint();
    plane.paint();
    thumbs.paint();
    page.caption.replaceChildren(...captionNodes(pieces()));
  }
  function change(values, commit = true) {
    v.s = { ...v.s, ...values };
    for (const key of Object.keys(parts)) if (key in v.s) parts[key].set(v.s[key]);
    paint();
    if (commit) host.set("selection", { ...v.s });
  }
  const leave = () => {
    tip.hide();
    v.hover = null;
    paint();
  };
  function linesFor(i) {
    const last = v.meta.path.at(-1)[i];
    const first = v.meta.path.at(1)[i];
    const moved = Math.hypot(last[0] - first[0], last[1] - first[1]) * v.meta.size;
    const lines = [
      `${v.face.label[i]} · ${i}`,
      ["plane", v.meta.plane.after[i].map((x) => x.toFixed(3)).join(", ")],
      ["layer 1 to the last", `${number(moved)} px of the crop`],
    ];
    if (v.meta.plane.away[i] > 0)
      lines.push(["nearest anchor", `${number(100 * v.meta.plane.away[i])} % of the plane`]);
    return lines;
  }

  /* The face and the plane answer alike: `where` gives the points in the canvas. */
  function listen(made, where, holder) {
    const { canvas } = made;
    const pointed = (event) => {
      const { points, view } = where();
      const i = nearestPoint(points, view.unit(made.at(event)), 16 / view.side);
      return i < 0 ? null : i;
    };
    canvas.style.cursor = "crosshair";
    canvas.addEventListener("pointermove", (event) => {
      v.hover = pointed(event);
      if (v.hover == null) tip.hide();
      else tip.corner(holder, event.clientX, linesFor(v.hover));
      paint();
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("blur", leave);
    canvas.addEventListener("click", (event) => {
      const i = pointed(event);
      change({ landmark: i === v.s.landmark ? null : i });
    });
    canvas.addEventListener("keydown", (event) => {
      const { points } = where();
      if (event.key.startsWith("Arrow")) {
        v.hover = stepPoint(points, v.chosen(), event.key);
        page.say(spoken(linesFor(v.hover)));
        paint();
      } else if (event.key === "Enter" || event.key === " ") change({ landmark: v.chosen() });
      else if (event.key === "Escape") {
        leave();
        change({ landmark: null });
      } else return;
      event.preventDefault();
    });
  }

  const strip = v.meta.drawing.legend;
  const face = surface(page.main, {
    label: `Where a point of the prompt looks. ${KEYS}`,
    ratio: (w) => w + strip,
    below: () => strip,
    draw: (ctx, w, h) => drawFace(ctx, v, w, h),
  });
  listen(face, () => ({ points: v.points, view: fitFace(face.width, face.height - strip) }), page.main);
  const heading = (bold, text) => el("p", { class: "wb-heading" }, el("b", {}, bold), ` ${text}`);
  page.side.append(heading("Face plane", "of the prompt: a shape as it is asked for"));
  const plane = surface(page.side, {
    label: `The points of the prompt on the face plane. ${KEYS}`,
    ratio: (w) => between(w, 200, 340),
    draw: (ctx, w, h) => drawPlane(ctx, v, theme(page.root), w, h),
  });
  listen(plane, () => ({ points: v.meta.plane.after, view: planeView(plane.width, plane.height) }), page.side);
  page.side.append(heading("Layers and heads", "of this point; click one to lay it over the face"));
  const thumbs = surface(page.side, {
    label: "Maps of all layers and heads. Arrow keys choose a layer and a head.",
    ratio: (w) => thumbsLayout(v, w).tall,
    draw: (ctx, w) => drawThumbs(ctx, v, theme(page.root), w),
  });
  thumbs.canvas.style.cursor = "pointer";
  thumbs.canvas.addEventListener("click", (event) => {
    const cell = thumbsLayout(v, thumbs.width).at(thumbs.at(event));
    if (cell) change(cell);
  });
  thumbs.canvas.addEventListener("keydown", (event) => {
    const head = v.s.head ?? -1;
    const moved = {
      ArrowLeft: { head: head <= 0 ? null : head - 1 },
      ArrowRight: { head: Math.min(head + 1, v.heads() - 1) },
      ArrowUp: { layer: Math.max(0, v.s.layer - 1) },
      ArrowDown: { layer: Math.min(v.layers.length - 1, v.s.layer + 1) },
    }[event.key];
    if (!moved) return;
    change(moved);
    page.say(captionText(pieces()));
    event.preventDefault();
  });

  function controls() {
    const { s } = v;
    const share = { min: 0, max: 1, step: 0.05, value: s.opacity, format: (x) => `${Math.round(100 * x)} %` };
    parts = {
      layer: segmented(
        "layer",
        v.layers.map((layer, k) => [k, `${k + 1}`, layer.path]),
        s.layer,
        (layer) => change({ layer }),
      ),
      head: segmented(
        "head",
        [
          [null, "mean", "the mean of all heads"],
          ...Array.from({ length: v.heads() }, (_, k) => [k, `${k + 1}`, `head ${k + 1}`]),
        ],
        s.head,
        (head) => change({ head }),
      ),
      scale: segmented(
        "scale",
        [
          ["map", "each", "each map's colours reach to its own largest weight"],
          ["all", "all", "one scale for all layers and heads of this point"],
        ],
        s.scale,
        (scale) => change({ scale }),
      ),
      opacity: slider(
        "opacity",
        "opacity of the map",
        share,
        (opacity) => change({ opacity }, false),
        (opacity) => change({ opacity }),
      ),
      paths: toggle("paths", "draw every point's way over the layers", s.paths, (paths) => change({ paths })),
    };
    page.strip.replaceChildren(...Object.values(parts).map((part) => part.node));
    page.foot.replaceChildren(...saveButtons(page, v.meta.drawing, sheet));
  }
  function sheet() {
    const { drawing, title, stem } = v.meta;
    const look = theme(page.root);
    const wide = drawing.face;
    return {
      name: stem,
      title: `Prompts, ${title}`,
      panels: [
        { w: wide, h: wide + drawing.legend, draw: (ctx, w, h) => drawFace(ctx, v, w, h) },
        { w: 340, h: 340, title: "Face plane", draw: (ctx, w, h) => drawPlane(ctx, v, look, w, h) },
        {
          w: wide,
          h: thumbsLayout(v, wide).tall,
          title: "Layers and heads",
          draw: (ctx, w) => drawThumbs(ctx, v, look, w),
        },
      ],
      caption: [captionText(pieces())],
      rows: () => {
        const i = v.chosen();
        if (i == null) return [["landmark", "name"], ...v.face.label.map((label, k) => [k, label])];
        const [, , rows, columns] = v.layers[v.s.layer].shape;
        const map = v.map(v.s.layer, v.s.head);
        return [
          ["landmark", "name", "row", "column", "weight"],
          ...Array.from({ length: rows * columns }, (_, k) => [
            i,
            v.face.label[i],
            Math.floor(k / columns),
            k % columns,
            map[k],
          ]),
        ];
      },
    };
  }

  function show() {
    const shown = v;
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      paint();
    });
    controls();
    paint();
  }
  show();
  const unwatch = host.watch((what) => {
    if (what !== "payload") return change(host.get("selection"), false);
    v = promptsState(host);
    show();
  });
  return () => {
    unwatch();
    for (const made of [face, plane, thumbs]) made.close();
    page.close();
  };
}
