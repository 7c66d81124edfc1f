/* What the places and parts of a face do to one landmark. The maps that are here are shown at once; of a landmark whose
map is not here the page is told, which offers to compute it. State "selection": {landmark | null, opacity, scale |
null, points} (attribution.py: SELECTION). */

import { drawFace, drawParts, partsTall } from "./attribution_drawing.js";
import { attributionState } from "./attribution_state.js";
import { captionNodes, captionText, composeCaption } from "./captions.js";
import { ARROWS, fitFace, nearestPoint, stepPoint } from "./geometry.js";
import { cellUnder } from "./heatmap.js";
import { number } from "./numbers.js";
import { el, frame, segmented, slider, spoken, theme, toggle, tooltip } from "./page.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const STYLE = `
.wb-hint {
  margin: 0;
  color: var(--soft);
}
`;
const HINT =
  "Nothing is computed before you ask for it. Choose a landmark on the face and a method above; the button says how " +
  "long it will take.";
const FIRST = "Point at a landmark and click to choose it.";

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Attribution", STYLE);
  const tip = tooltip(page);
  let v = attributionState(host);
  /** @type {Record<string, any>} */
  let parts = {};

  /* What changes, and who is told ------------------------------------------------------------------------ */

  const pieces = () => (v.now() ? composeCaption(v.meta.caption, v.facts()) : []);
  function words() {
    if (v.now()) return captionNodes(pieces());
    const { landmark } = v.s;
    return [landmark == null ? FIRST : `Nothing is computed yet for ${v.name(landmark)}.`];
  }
  function paint() {
    face.paint();
    bars.paint();
    page.caption.replaceChildren(...words());
  }
  function change(values, commit = true) {
    v.s = { ...v.s, ...values };
    for (const key of Object.keys(parts)) parts[key].set(key === "scale" ? v.scale() : v.s[key]);
    hint.hidden = Boolean(v.now());
    paint();
    if (commit) host.set("selection", { ...v.s });
  }

  /* The face --------------------------------------------------------------------------------------------- */

  const strip = () => v.meta.drawing.legend;
  const face = surface(page.main, {
    label: "The face under the attribution. Arrow keys go from landmark to landmark, Enter chooses one.",
    ratio: (w) => w + strip(),
    below: () => strip(),
    draw: (ctx, w, h) => drawFace(ctx, v, w, h),
  });
  const view = () => fitFace(face.width, face.height - strip());
  const landmarkAt = (event) => {
    const i = nearestPoint(v.points, view().unit(face.at(event)), 14 / view().side);
    return i < 0 ? null : i;
  };
  const leave = () => {
    tip.hide();
    v.hover = v.cell = null;
    paint();
  };
  const { canvas } = face;
  canvas.addEventListener("pointermove", (event) => {
    const place = view().unit(face.at(event));
    const now = v.now();
    v.hover = landmarkAt(event);
    v.cell = now ? cellUnder(place, now.h, now.w) : null;
    canvas.style.cursor = v.hover == null ? "crosshair" : "pointer";
    if (v.cell) {
      const { size, names } = v.maps;
      const [x, y] = place.map((u) => Math.min(size - 1, Math.floor(u * size)));
      const value = now.map[v.cell[0] * now.w + v.cell[1]];
      tip.show(event.clientX, event.clientY, [names[v.regions[y * size + x]], ["here", number(value)]]);
    } else tip.hide();
    paint();
  });
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("click", (event) => {
    const i = landmarkAt(event);
    if (i != null) change({ landmark: i });
  });
  canvas.addEventListener("keydown", (event) => {
    if (ARROWS[event.key]) {
      v.hover = stepPoint(v.points, v.hover ?? v.s.landmark, event.key);
      page.say(spoken([v.name(v.hover)]));
      paint();
    } else if (event.key === "Enter" || event.key === " ") {
      if (v.hover != null) change({ landmark: v.hover });
    } else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });

  const hint = el("p", { class: "wb-hint" }, HINT);
  page.side.append(hint);
  const bars = surface(page.side, {
    label: "What each facial part has of it.",
    ratio: () => partsTall(v.maps?.names.length ?? 0),
    draw: (ctx, w) => drawParts(ctx, v, theme(page.root), w),
  });

  /* Strip, and what is saved ------------------------------------------------------------------------------- */

  function controls() {
    const { s, maps } = v;
    const share = { min: 0, max: 1, step: 0.05, value: s.opacity, format: (x) => `${Math.round(100 * x)} %` };
    const reach = [
      ["max", "largest", "colours reach to the largest value"],
      ["most", "99 %", "colours reach to what 99 % of the cells do not pass"],
    ];
    parts = { points: toggle("landmarks", "draw the landmarks", s.points, (points) => change({ points })) };
    if (maps)
      parts = {
        opacity: slider(
          "opacity",
          "opacity of the map",
          share,
          (opacity) => change({ opacity }, false),
          (opacity) => change({ opacity }),
        ),
        scale: segmented("colours to", reach, v.scale(), (scale) => change({ scale })),
        ...parts,
      };
    page.strip.replaceChildren(...Object.values(parts).map((part) => part.node));
    page.foot.replaceChildren(...(maps ? saveButtons(page, v.meta.drawing, sheet) : []));
  }
  function sheet() {
    const { drawing, title, stem = "attribution" } = v.meta;
    const now = v.now();
    const tall = drawing.face + drawing.legend;
    const side = { w: drawing.side, h: tall, draw: (ctx, w) => drawParts(ctx, v, theme(page.root), w) };
    return {
      name: stem,
      title: `${v.maps.method}, ${title}`,
      caption: [captionText(pieces())],
      panels: [{ w: drawing.face, h: tall, draw: (ctx, w, h) => drawFace(ctx, v, w, h) }, ...(now ? [side] : [])],
      rows: () => {
        if (!now) return [["part", "value"]];
        if (v.maps.byPart)
          return [["part", "value"], ...v.maps.names.map((name, k) => [name, +now.parts[k].toPrecision(6)])];
        const cell = (k) => [Math.floor(k / now.w), k % now.w];
        return [["y", "x", "value"], ...[...now.map].map((x, k) => [...cell(k), +x.toPrecision(6)])];
      },
    };
  }

  function show() {
    const shown = v;
    loadImage(host.bytes("photo"), (bitmap) => {
      shown.image = bitmap;
      paint();
    });
    bars.canvas.style.height = `${partsTall(v.maps?.names.length ?? 0)}px`; // the surface takes it from there
    controls();
    change({}, false);
  }
  show();
  const unwatch = host.watch((what) => {
    if (what !== "payload") return change(host.get("selection"), false);
    v = attributionState(host);
    show();
  });
  return () => {
    unwatch();
    face.close();
    bars.close();
    page.close();
  };
}
