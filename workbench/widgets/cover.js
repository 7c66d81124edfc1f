/* An occluder over the face: drawn, dragged, and told to Python at a pace that it can answer. An occluder is {x, y,
w, h, fill} in [0, 1] of the crop, or {} or null for none. */

import { between } from "./geometry.js";
import { segmented, toggle } from "./page.js";
import { pacer, rectEditor } from "./rect.js";

export const occluderRect = ({ x, y, w, h }) => [x, y, x + w, y + h];
/* Whether two occluders ({} or null: none) lie on the same pixels. */
export const sameOccluder = (a, b) =>
  !a?.w || !b?.w
    ? !a?.w && !b?.w
    : a.fill === b.fill && ["x", "y", "w", "h"].every((k) => Math.abs(a[k] - b[k]) < 1e-3);

/* Until Python has painted it, the occluder is a plain rectangle, or a pattern for noise. */
export function drawOccluder(ctx, v, view) {
  const { occluder, cover, coverOf } = v;
  if (!occluder) return;
  const box = (rect) => {
    const [[x0, y0], [x1, y1]] = [view.px(rect.slice(0, 2)), view.px(rect.slice(2))];
    return [x0, y0, x1 - x0, y1 - y0];
  };
  const [x, y, w, h] = box(occluderRect(occluder));
  const colour = v.meta.fills[occluder.fill];
  if (cover && sameOccluder(occluder, coverOf)) ctx.drawImage(cover, ...box(v.meta.covered));
  else if (colour) {
    ctx.fillStyle = `rgb(${colour.join(" ")})`;
    ctx.fillRect(x, y, w, h);
  } else if (cover && coverOf.fill === occluder.fill) ctx.drawImage(cover, x, y, w, h);
  else {
    ctx.save();
    ctx.translate(x, y);
    ctx.fillStyle = ctx.createPattern(noise(), "repeat");
    ctx.fillRect(0, 0, w, h);
    ctx.restore();
  }
}

function noise() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 128, height: 128 });
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(128, 128);
  for (let k = 0; k < image.data.length; k++) image.data[k] = k % 4 === 3 ? 255 : Math.floor(256 * Math.random());
  ctx.putImageData(image, 0, 0);
  return canvas;
}

/** @type {(rect: number[], fill: string) => any} */
const asOccluder = ([x0, y0, x1, y1], fill) => {
  const [x, y, w, h] = [x0, y0, x1 - x0, y1 - y0].map((value) => Math.round(value * 1e4) / 1e4);
  return { x, y, w, h, fill };
};

/* The occluder of a board (board.js: kit), its controls, and the frame to drag it with. */
export function coverEditor(kit) {
  const { host } = kit;
  const c = {
    occluder: null,
    cover: null,
    coverOf: null,
    meta: host.meta,
    asked: () => !sameOccluder(told, c.meta.occluder),
  };
  let told = null;
  const live = () => host.meta.live && host.kind !== "file";
  const pace = pacer((value) => {
    if (sameOccluder(value, told)) {
      if (!c.asked()) pace.answered(); // nothing new: no answer would come
      return;
    }
    told = value;
    host.set("occluder", value);
  });
  function set(next, final) {
    c.occluder = next;
    sync();
    pace.offer(next ? { ...next } : {}, final);
    kit.paint();
    box.place();
  }
  /* A first one: around the landmark that is pinned, or over the lower half of the face. */
  function first() {
    const v = kit.now();
    const p = v.s.landmark == null ? null : v.drawn()[v.s.landmark];
    if (!p) return asOccluder([0.3, 0.58, 0.7, 0.8], "grey");
    const [x, y] = [between(p[0] - 0.11, 0, 0.78), between(p[1] - 0.09, 0, 0.82)];
    return asOccluder([x, y, x + 0.22, y + 0.18], "grey");
  }
  const on = toggle("occluder", "cover a part of the face and read it again", false, (now) =>
    set(now ? first() : null, true),
  );
  const fills = Object.keys(host.meta.fills).map((name) => [name, name, `fill with ${name}`]);
  const fill = segmented("", fills, "grey", (name) => set({ ...c.occluder, fill: name }, true));
  function sync() {
    on.set(Boolean(c.occluder));
    fill.set(c.occluder?.fill ?? "grey");
    fill.node.hidden = !c.occluder;
  }
  const box = rectEditor(kit.holder, {
    label: "Occluder. Arrow keys move it, with shift they resize it, Delete takes it away.",
    get: () => (c.occluder && live() ? occluderRect(c.occluder) : null),
    px: (p) => kit.view().px(p),
    unit: (p) => kit.view().unit(p),
    step: () => 0.01,
    limits: () => ({ bounds: [0, 0, 1, 1], min: 0.03 }),
    change: (rect, final) => set(asOccluder(rect, c.occluder.fill), final),
    remove: () => {
      set(null, true);
      kit.face.canvas.focus();
    },
  });
  return {
    state: c,
    controls: live() ? [on.node, fill.node] : [],
    busy: () => box.moved,
    place: () => box.place(),
    draw: (ctx, view) => drawOccluder(ctx, c, view),
    /** After a payload or a state from Python. */
    arrived() {
      c.meta = host.meta;
      const next = host.get("occluder");
      if (next !== told && !box.busy) {
        told = next;
        c.occluder = next?.w ? { ...next } : null;
      }
      const { occluder } = c.meta;
      if (!occluder) c.cover = c.coverOf = null;
      else {
        const bytes = host.bytes("cover");
        if (bytes)
          createImageBitmap(new Blob([bytes])).then((bitmap) => {
            c.cover = bitmap;
            c.coverOf = occluder;
            kit.paint();
          });
      }
      sync();
      box.place();
      pace.answered();
    },
    stop: () => pace.stop(),
  };
}
