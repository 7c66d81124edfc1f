/* picker.js: choose a face of a photograph by its box, adjust the square that is cropped, or draw a box where none
was found. Needs rect.js. State "choice": {index} | {box: [x0, y0, x1, y1]} in photo pixels | {}; committed when the
pointer is let go. Pure: cropOf, boxOf, keepCentre, regionOf, stillFits, fitPhoto. */

import { drawDots, drawLines, drawTag } from "./draw.js";
import { between, stepPoint } from "./geometry.js";
import { number } from "./numbers.js";
import { button, el, frame, segmented, spacer, toggle } from "./page.js";
import { insideRect, moveRect, RECT_STYLE, rectEditor, smallestAt, spanRect } from "./rect.js";
import { loadImage, surface } from "./surface.js";

/* The square that is cropped for a box: factor times its longer side, the same centre. */
export function cropOf([x0, y0, x1, y1], factor) {
  const half = (factor * Math.max(x1 - x0, y1 - y0)) / 2;
  const cx = (x0 + x1) / 2;
  const cy = (y0 + y1) / 2;
  return [cx - half, cy - half, cx + half, cy + half];
}

/* The square box whose crop is the given square, to a tenth of a pixel. */
export const boxOf = (crop, factor) => cropOf(crop, 1 / factor).map((v) => Math.round(v * 10) / 10);

/* Shifted so that its centre lies in the photograph. */
export function keepCentre(rect, [w, h]) {
  const cx = (rect[0] + rect[2]) / 2;
  const cy = (rect[1] + rect[3]) / 2;
  return moveRect(rect, between(cx, 0, w - 1) - cx, between(cy, 0, h - 1) - cy);
}

/* What is in view: the photograph and, up to a quarter beyond it, the crop with its handles; near, what surrounds the
crop alone. */
export function regionOf([w, h], crop, near = false) {
  const all = [-0.5, -0.5, w - 0.5, h - 0.5];
  const reach = 0.25 * Math.max(w, h);
  if (!crop) return all;
  const wide = (by) => [crop[0] - by, crop[1] - by, crop[2] + by, crop[3] + by];
  const side = crop[2] - crop[0];
  const must = wide(near ? side / 10 : reach / 8);
  const may = near ? wide(side * 0.7) : all;
  const lo = (k) => Math.min(near ? Math.max(may[k], all[k]) : all[k], Math.max(must[k], -reach));
  const hi = (k) => Math.max(near ? Math.min(may[k], all[k]) : all[k], Math.min(must[k], all[k] + reach));
  return [lo(0), lo(1), hi(2), hi(3)];
}

/* Whether a near view can stay as it is, so that the picture does not slip away under a crop that was moved a little. */
export function stillFits(region, crop, near) {
  if (!near || !region || !crop) return false;
  const share = (crop[2] - crop[0]) / Math.max(region[2] - region[0], region[3] - region[1]);
  const by = (crop[2] - crop[0]) / 20;
  return (
    share > 0.25 &&
    share < 0.7 &&
    insideRect(region, [crop[0] - by, crop[1] - by]) &&
    insideRect(region, [crop[2] + by, crop[3] + by])
  );
}

/* The region in a canvas of w x h: photo pixels (centres at integers) to canvas pixels and back. */
export function fitPhoto(w, h, region) {
  const scale = Math.min(w / (region[2] - region[0]), h / (region[3] - region[1]));
  const x0 = (w - scale * (region[2] - region[0])) / 2 - scale * region[0];
  const y0 = (h - scale * (region[3] - region[1])) / 2 - scale * region[1];
  return {
    scale,
    px: ([x, y]) => [x0 + scale * x, y0 + scale * y],
    unit: ([x, y]) => [(x - x0) / scale, (y - y0) / scale],
  };
}

const PICKER_STYLE =
  RECT_STYLE +
  `
.wb-pick .wb-stage { grid-template-columns: minmax(0, 1fr); } .wb-pick .wb-face { position: relative; }
.wb-pick .wb-note { color: var(--ink); }
.wb-pick .wb-ask { position: absolute; left: 50%; top: 12px; transform: translateX(-50%); width: max-content; max-width: calc(100% - 24px); padding: 6px 12px; border-radius: 6px; background: rgb(16 17 20 / .88); color: #f3f4f5; text-align: center; pointer-events: none; }
.wb-pick .drawing canvas { touch-action: none; cursor: crosshair; }
`;
const TALLEST = 640;
const LEAST = 200;
const HALO = "rgb(0 0 0 / .55)";

export default function mount(host) {
  const page = frame(host, "Faces of the photograph", PICKER_STYLE);
  page.root.classList.add("wb-pick");
  page.side.remove();
  let meta;
  let photo = null;
  let region;
  let chosen = null;
  let handBox = null;
  let crop = null;
  let hover = -1;
  let drawing = false;
  let span = null;
  let fresh = true;
  let near = null;

  function read(first) {
    const before = meta;
    meta = host.meta;
    if (!before || before !== meta)
      loadImage(host.bytes("photo"), (bitmap) => {
        photo = bitmap;
        face.paint();
      });
    if (!editor.busy && !span) {
      chosen = meta.index;
      handBox = meta.index == null ? meta.box : null;
      crop = meta.box ? cropOf(meta.box, meta.factor) : null;
      fresh = true;
      const alone = meta.boxes.length < 2 && crop && crop[2] - crop[0] < 0.4 * Math.min(...meta.photo);
      const changed = first || String([before.photo, before.boxes]) !== String([meta.photo, meta.boxes]);
      if (changed) near = Boolean(alone);
      if (changed || crop) drawing = !crop && !meta.boxes.length;
      look(changed);
    }
    words();
  }
  /* The view follows what is to be seen, but not while something is dragged. */
  function look(first = false) {
    if (!stillFits(region, drawing ? null : crop, near && !first))
      region = regionOf(meta.photo, drawing ? null : crop, near);
    if (face.width) {
      face.height = tall(face.width);
      face.canvas.style.height = `${face.height}px`;
    }
    face.paint();
    editor.place();
  }
  const tall = (w) => Math.round(between((w * (region[3] - region[1])) / (region[2] - region[0]), LEAST, TALLEST));
  const view = () => fitPhoto(face.width, face.height, region);
  const boxes = () => meta.boxes;

  /* Drawing ------------------------------------------------------------------------------------------- */

  function outline(ctx, v, r, { width = 1.5, dash = [], alpha = 1 }) {
    const [x0, y0] = v.px([r[0], r[1]]);
    const [x1, y1] = v.px([r[2], r[3]]);
    ctx.save();
    ctx.globalAlpha = alpha;
    ctx.lineJoin = "round";
    ctx.strokeStyle = HALO;
    ctx.lineWidth = width + 2;
    ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
    ctx.setLineDash(dash);
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = width;
    ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
    ctx.restore();
    return [x0, y0, x1, y1];
  }
  function drawAll(ctx, w, h) {
    const v = view();
    const [pw, ph] = meta.photo;
    const [x0, y0] = v.px([-0.5, -0.5]);
    ctx.fillStyle = "#101114";
    ctx.fillRect(0, 0, w, h);
    ctx.imageSmoothingQuality = "high";
    if (photo) ctx.drawImage(photo, x0, y0, pw * v.scale, ph * v.scale);
    const light = span || (drawing ? null : crop);
    if (light) {
      // what is not cropped steps back
      const a = v.px([light[0], light[1]]);
      const b = v.px([light[2], light[3]]);
      ctx.beginPath();
      ctx.rect(0, 0, w, h);
      ctx.rect(a[0], a[1], b[0] - a[0], b[1] - a[1]);
      ctx.fillStyle = "rgb(12 12 16 / .5)";
      ctx.fill("evenodd");
    }
    if (meta.points && crop && !drawing) {
      drawLines(ctx, v, meta.points, meta.face, { alpha: fresh ? 0.85 : 0.25, width: 1.3 });
      const wide = v.scale * (crop[2] - crop[0]); // on a small face dots would hide what they mark
      if (wide > 150)
        drawDots(ctx, v, meta.points, meta.face, { radius: between(wide / 150, 1.2, 3), alpha: fresh ? 1 : 0.3 });
    }
    boxes().forEach((r, i) => {
      const mine = i === chosen && !drawing;
      const near = i === hover;
      const at = outline(ctx, v, r, {
        width: near && !mine ? 2.6 : 1.4,
        dash: mine ? [] : [6, 4],
        alpha: mine ? 0.8 : drawing ? 0.4 : 1,
      });
      if (boxes().length > 1 || near)
        drawTag(
          ctx,
          mine ? `face ${i + 1}` : near ? `choose face ${i + 1}` : `${i + 1}`,
          ...(mine && crop ? v.px([crop[0], crop[1]]) : [at[0] - 8, at[1] + 1]),
          w,
          h,
        );
    });
    const drawn = handBox && Math.abs(handBox[2] - handBox[0] - handBox[3] + handBox[1]) > 1; // a square one says no more than the crop
    if (drawn && !drawing) outline(ctx, v, handBox, { width: 1.4, dash: [2, 3], alpha: 0.9 });
    if (span) outline(ctx, v, span, { width: 2 });
  }

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function commit(choice) {
    fresh = false;
    host.set("choice", choice);
    words();
    look();
  }
  function choose(i) {
    if (i < 0 || (i === chosen && !drawing)) return;
    chosen = i;
    handBox = null;
    drawing = false;
    crop = cropOf(boxes()[i], meta.factor);
    page.say(`face ${i + 1} of ${boxes().length} chosen`);
    commit({ index: i });
  }
  function takeBox(box, byKey) {
    const tidy = keepCentre(box, meta.photo).map((x) => Math.round(x * 10) / 10);
    chosen = null;
    handBox = tidy;
    drawing = false;
    crop = cropOf(tidy, meta.factor);
    commit({ box: tidy });
    if (byKey) editor.node.focus({ preventScroll: true });
  }
  function setDrawing(on) {
    drawing = on;
    span = null;
    hover = -1;
    words();
    look();
    if (on) face.canvas.focus({ preventScroll: true });
  }
  function words() {
    const [wide, high] = meta.original;
    const zoomed = (meta.photo[0] + meta.photo[1]) / (wide + high);
    const n = boxes().length;
    const found = n ? `${n} ${n === 1 ? "face" : "faces"} found` : "no face found";
    const side = crop ? Math.round((crop[2] - crop[0]) / zoomed) : 0;
    holder.classList.toggle("drawing", drawing);
    ask.hidden = !drawing || Boolean(span);
    ask.textContent = `${n ? "" : "No face was found. "}Drag a box around the face, from the brows to the chin.`;
    draw.set(drawing);
    zoom.set(near ? "face" : "photo");
    zoom.node.hidden = drawing || !crop;
    back.hidden = !n || chosen != null || drawing;
    back.textContent = n === 1 ? "use the detected face" : "use face 1";
    note.textContent = found + (n > 1 ? ": click the one to read" : "");
    page.caption.textContent =
      `Photograph ${wide} × ${high} px${zoomed < 1 ? `, worked on at ${meta.photo[0]} × ${meta.photo[1]}` : ""} · crop: a square of ${number(meta.factor)} × the longer side of the box` +
      (crop ? `, ${side} × ${side} px, bright` : "") +
      (chosen == null && crop ? " · box by hand" : "") +
      (meta.points ? ` · ${meta.points.length} landmarks` : "");
  }

  /* Parts --------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  const ask = el("div", { class: "wb-ask" });
  const note = el("span", { class: "wb-note" });
  const draw = toggle("draw a box", "draw a box around a face by hand", false, setDrawing);
  const back = button("", "go back to the detected face", () => choose(0));
  const zoom = segmented(
    "",
    [
      ["photo", "photo", "the whole photograph"],
      ["face", "face", "what surrounds the face"],
    ],
    "photo",
    (v) => {
      near = v === "face";
      look(true);
    },
  );
  page.strip.append(note, spacer(), back, draw.node, zoom.node);
  page.main.append(holder);
  const face = surface(holder, {
    label: "Photograph. Arrow keys go from face to face, Enter chooses; while drawing, Enter puts a box in the middle.",
    ratio: tall,
    draw: (ctx, w, h) => {
      drawAll(ctx, w, h);
      editor.place();
    },
  });
  holder.append(ask);
  const editor = rectEditor(holder, {
    label: "Crop. Arrow keys move it, with shift they resize it.",
    get: () => (drawing ? null : crop),
    px: (p) => view().px(p),
    unit: (p) => view().unit(p),
    step: () => (crop[2] - crop[0]) / 50,
    limits: () => ({ bounds: null, min: Math.max(8, 16 / view().scale), square: true }),
    change(rect, final) {
      const [w, h] = meta.photo;
      const most = 2 * Math.max(w, h);
      if (rect[2] - rect[0] <= most) crop = keepCentre(rect, meta.photo);
      handBox = chosen = null;
      fresh = false;
      if (final) {
        const box = boxOf(crop, meta.factor);
        commit({ box });
      } else {
        words();
        face.paint();
      }
    },
  });
  const at = (event) => {
    const frame_ = face.canvas.getBoundingClientRect();
    return view().unit([event.clientX - frame_.left, event.clientY - frame_.top]);
  };
  let start = null;
  let drew = false; // a click follows the pointer that has drawn a box, and chooses no face
  holder.addEventListener(
    "pointerdown",
    () => {
      drew = false;
    },
    true,
  );
  face.canvas.addEventListener("pointerdown", (event) => {
    if (!drawing || event.button) return;
    face.canvas.setPointerCapture(event.pointerId);
    start = at(event);
    event.preventDefault();
    face.canvas.focus({ preventScroll: true });
  });
  holder.addEventListener("pointermove", (event) => {
    if (start) {
      span = spanRect(start, at(event), { bounds: [-0.5, -0.5, meta.photo[0] - 0.5, meta.photo[1] - 0.5] });
      words();
      face.paint();
      return;
    }
    const i = drawing ? -1 : smallestAt(boxes(), at(event));
    const next = i === chosen ? -1 : i;
    face.canvas.style.cursor = drawing ? "" : next >= 0 ? "pointer" : "default";
    if (next !== hover) {
      hover = next;
      face.paint();
    }
  });
  const end = (event) => {
    if (!start) return;
    if (event.type === "pointerup")
      span = spanRect(start, at(event), { bounds: [-0.5, -0.5, meta.photo[0] - 0.5, meta.photo[1] - 0.5] });
    const box = span;
    const large =
      box &&
      event.type === "pointerup" &&
      Math.max(box[2] - box[0], box[3] - box[1]) * view().scale >= 12 &&
      Math.min(box[2] - box[0], box[3] - box[1]) > 0;
    start = span = null;
    drew = true;
    if (large) takeBox(box);
    else {
      words();
      face.paint();
    }
  };
  face.canvas.addEventListener("pointerup", end);
  face.canvas.addEventListener("pointercancel", end);
  holder.addEventListener("pointerleave", () => {
    hover = -1;
    face.paint();
  });
  holder.addEventListener("click", (event) => {
    if (!drawing && !drew && !editor.moved) choose(smallestAt(boxes(), at(event)));
  });
  face.canvas.addEventListener("keydown", (event) => {
    const centres = boxes().map((r) => [(r[0] + r[2]) / 2, (r[1] + r[3]) / 2]);
    const [w, h] = meta.photo;
    if (event.key === "Escape" && drawing && (crop || boxes().length)) setDrawing(false);
    else if ((event.key === "Enter" || event.key === " ") && drawing) {
      const half = Math.min(w, h) / 5;
      takeBox([w / 2 - half, h / 2 - half, w / 2 + half, h / 2 + half], true);
    } else if (event.key === "Enter" || event.key === " ") choose(hover);
    else if (event.key.startsWith("Arrow") && centres.length && !drawing) {
      hover = stepPoint(centres, hover >= 0 ? hover : chosen, event.key);
      page.say(`face ${hover + 1} of ${centres.length}${hover === chosen ? ", chosen" : ""}`);
      face.paint();
    } else return;
    event.preventDefault();
  });
  face.canvas.addEventListener("blur", () => {
    hover = -1;
    face.paint();
  });

  read(true);
  const stop = host.watch(() => read(false));
  return () => {
    stop();
    face.close();
    page.close();
  };
}
