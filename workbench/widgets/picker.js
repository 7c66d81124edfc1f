/* Choose a face of a photograph by its box, adjust the square that is cropped, or draw a box where none was found.
State "choice": {index} | {box: [x0, y0, x1, y1]} in photo pixels | {}; committed when the pointer is let go. */

import { captionNodes, captionText, composeCaption } from "./captions.js";
import { between, stepPoint } from "./geometry.js";
import { button, el, frame, segmented, spacer, toggle } from "./page.js";
import { drawPhotograph } from "./picker_drawing.js";
import { boxOf, cropOf, fitPhoto, keepCentre, pickerFacts, regionOf, stillFits } from "./picker_places.js";
import { PICKER_STYLE } from "./picker_style.js";
import { rectEditor, smallestAt, spanRect } from "./rect.js";
import { saveButtons } from "./sheet.js";
import { loadImage, surface } from "./surface.js";

const TALLEST = 640;
const LEAST = 200;
const SMALLEST = 12; // pixels of a box that is taken for one

/** @param {import("./host.js").Host} host */
export default function mount(host) {
  const page = frame(host, "Faces of the photograph", PICKER_STYLE);
  page.root.classList.add("wb-pick");
  page.side.remove();
  const v = {
    meta: null,
    /** @type {ImageBitmap | null} */
    photo: null,
    region: null,
    /** @type {number | null} the detected face that is chosen */
    chosen: null,
    handBox: null,
    crop: null,
    hover: -1,
    drawing: false,
    /** @type {number[] | null} the box that is being drawn */
    span: null,
    fresh: true, // the landmarks are those of the crop that is shown
  };
  let near = false;

  function read(first) {
    const before = v.meta;
    const meta = host.meta;
    v.meta = meta;
    if (before !== meta) {
      loadImage(host.bytes("photo"), (bitmap) => {
        v.photo = bitmap;
        face.paint();
      });
    }
    if (!editor.busy && !v.span) {
      v.chosen = meta.index;
      v.handBox = meta.index == null ? meta.box : null;
      v.crop = meta.box ? cropOf(meta.box, meta.factor) : null;
      v.fresh = true;
      const alone = meta.boxes.length < 2 && v.crop && v.crop[2] - v.crop[0] < 0.4 * Math.min(...meta.photo);
      const changed = first || String([before.photo, before.boxes]) !== String([meta.photo, meta.boxes]);
      if (changed) near = Boolean(alone);
      if (changed || v.crop) v.drawing = !v.crop && !meta.boxes.length;
      look(changed);
    }
    words();
  }
  /* The view follows what is to be seen, but not while something is dragged. */
  function look(first = false) {
    const crop = v.drawing ? null : v.crop;
    if (!stillFits(v.region, crop, near && !first)) v.region = regionOf(v.meta.photo, crop, near);
    if (face.width) {
      face.height = tall(face.width);
      face.canvas.style.height = `${face.height}px`;
    }
    face.paint();
    editor.place();
  }
  const aspect = () => (v.region[3] - v.region[1]) / (v.region[2] - v.region[0]);
  const tall = (w) => Math.round(between(w * aspect(), LEAST, TALLEST));
  const view = () => fitPhoto(face.width, face.height, v.region);

  /* What changes, and who is told ---------------------------------------------------------------------- */

  function commit(choice) {
    v.fresh = false;
    host.set("choice", choice);
    words();
    look();
  }
  function choose(i) {
    if (i < 0 || (i === v.chosen && !v.drawing)) return;
    v.chosen = i;
    v.handBox = null;
    v.drawing = false;
    v.crop = cropOf(v.meta.boxes[i], v.meta.factor);
    page.say(`face ${i + 1} of ${v.meta.boxes.length} chosen`);
    commit({ index: i });
  }
  /** @type {(box: number[], byKey: boolean) => void} */
  function takeBox(box, byKey) {
    const tidy = keepCentre(box, v.meta.photo).map((x) => Math.round(x * 10) / 10);
    v.chosen = null;
    v.handBox = tidy;
    v.drawing = false;
    v.crop = cropOf(tidy, v.meta.factor);
    commit({ box: tidy });
    if (byKey) editor.node.focus({ preventScroll: true });
  }
  function setDrawing(on) {
    v.drawing = on;
    v.span = null;
    v.hover = -1;
    words();
    look();
    if (on) face.canvas.focus({ preventScroll: true });
  }
  /* Photo pixels of the photograph that is worked on, a pixel of the one that was given. */
  function zoomed() {
    const { photo, original } = v.meta;
    return (photo[0] + photo[1]) / (original[0] + original[1]);
  }
  const pieces = () => composeCaption(v.meta.caption, pickerFacts(v, zoomed()));
  function words() {
    const n = v.meta.boxes.length;
    const found = n ? `${n} ${n === 1 ? "face" : "faces"} found` : "no face found";
    holder.classList.toggle("drawing", v.drawing);
    ask.hidden = !v.drawing || Boolean(v.span);
    ask.textContent = `${n ? "" : "No face was found. "}Drag a box around the face, from the brows to the chin.`;
    draw.set(v.drawing);
    zoom.set(near ? "face" : "photo");
    zoom.node.hidden = v.drawing || !v.crop;
    back.hidden = !n || v.chosen != null || v.drawing;
    back.textContent = n === 1 ? "use the detected face" : "use face 1";
    note.textContent = found + (n > 1 ? ": click the one to read" : "");
    page.caption.replaceChildren(...captionNodes(pieces()));
  }

  /* Parts --------------------------------------------------------------------------------------------- */

  const holder = el("div", { class: "wb-face" });
  const ask = el("div", { class: "wb-ask" });
  const note = el("span", { class: "wb-note" });
  const draw = toggle("draw a box", "draw a box around a face by hand", false, setDrawing);
  const back = button("", "go back to the detected face", () => choose(0));
  const views = [
    ["photo", "photo", "the whole photograph"],
    ["face", "face", "what surrounds the face"],
  ];
  const zoom = segmented("", views, "photo", (which) => {
    near = which === "face";
    look(true);
  });
  page.strip.append(note, spacer(), back, draw.node, zoom.node);
  page.main.append(holder);
  const face = surface(holder, {
    label: "Photograph. Arrow keys go from face to face, Enter chooses; while drawing, Enter puts a box in the middle.",
    ratio: tall,
    draw: (ctx, w, h) => {
      drawPhotograph(ctx, v, w, h);
      editor.place();
    },
  });
  holder.append(ask);
  const editor = rectEditor(holder, {
    label: "Crop. Arrow keys move it, with shift they resize it.",
    get: () => (v.drawing ? null : v.crop),
    px: (p) => view().px(p),
    unit: (p) => view().unit(p),
    step: () => (v.crop[2] - v.crop[0]) / 50,
    limits: () => ({ bounds: null, min: Math.max(8, 16 / view().scale), square: true }),
    change(rect, final) {
      const most = 2 * Math.max(...v.meta.photo);
      if (rect[2] - rect[0] <= most) v.crop = keepCentre(rect, v.meta.photo);
      v.handBox = v.chosen = null;
      v.fresh = false;
      if (final) commit({ box: boxOf(v.crop, v.meta.factor) });
      else {
        words();
        face.paint();
      }
    },
  });
  page.foot.replaceChildren(...saveButtons(page, host.meta.drawing, sheet));

  /* Pointer and keys ----------------------------------------------------------------------------------- */

  /** @type {(event: any) => number[]} */
  const at = (event) => view().unit(face.at(event));
  let start = null;
  let drew = false; // a click follows the pointer that has drawn a box, and chooses no face
  const drag = (event) => {
    const [w, h] = v.meta.photo;
    v.span = spanRect(start, at(event), { bounds: [-0.5, -0.5, w - 0.5, h - 0.5] });
  };
  const clearDrew = () => {
    drew = false;
  };
  holder.addEventListener("pointerdown", clearDrew, true);
  face.canvas.addEventListener("pointerdown", (event) => {
    if (!v.drawing || event.button) return;
    face.canvas.setPointerCapture(event.pointerId);
    start = at(event);
    event.preventDefault();
    face.canvas.focus({ preventScroll: true });
  });
  holder.addEventListener("pointermove", (event) => {
    if (start) {
      drag(event);
      words();
      face.paint();
      return;
    }
    const i = v.drawing ? -1 : smallestAt(v.meta.boxes, at(event));
    const next = i === v.chosen ? -1 : i;
    face.canvas.style.cursor = v.drawing ? "" : next >= 0 ? "pointer" : "default";
    if (next === v.hover) return;
    v.hover = next;
    face.paint();
  });
  const end = (event) => {
    if (!start) return;
    if (event.type === "pointerup") drag(event);
    const box = event.type === "pointerup" ? v.span : null;
    const sides = box ? [box[2] - box[0], box[3] - box[1]] : [0, 0];
    start = v.span = null;
    drew = true;
    if (Math.max(...sides) * view().scale >= SMALLEST && Math.min(...sides) > 0) takeBox(box, false);
    else {
      words();
      face.paint();
    }
  };
  face.canvas.addEventListener("pointerup", end);
  face.canvas.addEventListener("pointercancel", end);
  const unpoint = () => {
    v.hover = -1;
    face.paint();
  };
  holder.addEventListener("pointerleave", unpoint);
  holder.addEventListener("click", (event) => {
    if (!v.drawing && !drew && !editor.moved) choose(smallestAt(v.meta.boxes, at(event)));
  });
  face.canvas.addEventListener("blur", unpoint);
  face.canvas.addEventListener("keydown", (event) => {
    const { boxes, photo } = v.meta;
    const centres = boxes.map((r) => [(r[0] + r[2]) / 2, (r[1] + r[3]) / 2]);
    const [w, h] = photo;
    const take = event.key === "Enter" || event.key === " ";
    if (event.key === "Escape" && v.drawing && (v.crop || boxes.length)) setDrawing(false);
    else if (take && v.drawing) {
      const half = Math.min(w, h) / 5;
      takeBox([w / 2 - half, h / 2 - half, w / 2 + half, h / 2 + half], true);
    } else if (take) choose(v.hover);
    else if (event.key.startsWith("Arrow") && centres.length && !v.drawing) {
      v.hover = stepPoint(centres, v.hover >= 0 ? v.hover : v.chosen, event.key);
      page.say(`face ${v.hover + 1} of ${centres.length}${v.hover === v.chosen ? ", chosen" : ""}`);
      face.paint();
    } else return;
    event.preventDefault();
  });

  /* What is saved, and news ------------------------------------------------------------------------------ */

  function sheet() {
    const { drawing, stem = "photograph" } = v.meta;
    const h = Math.round(drawing.face * aspect());
    return {
      name: stem,
      title: "",
      caption: [captionText(pieces())],
      panels: [{ w: drawing.face, h, draw: (ctx, w, tallness) => drawPhotograph(ctx, v, w, tallness) }],
      rows: savedRows,
    };
  }
  /* In pixels of the photograph that was given: the landmarks or, before they are known, the boxes. */
  function savedRows() {
    const { points, face: scheme, boxes } = v.meta;
    const given = (place) => place.map((x) => (x / zoomed()).toFixed(2));
    if (points) {
      const rows = points.map((p, i) => [i, scheme.label[i], scheme.part[i], ...given(p)]);
      return [["landmark", "name", "part", "photo_x_px", "photo_y_px"], ...rows];
    }
    return [
      ["face", "photo_x0_px", "photo_y0_px", "photo_x1_px", "photo_y1_px"],
      ...boxes.map((box, i) => [i + 1, ...given(box)]),
    ];
  }
  read(true);
  const stop = host.watch(() => read(false));
  return () => {
    stop();
    face.close();
    page.close();
  };
}
