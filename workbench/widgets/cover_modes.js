/* An occluder on any view (widgets/covered.py): dragged over the face, and what is shown of it. State "occluder":
{x, y, w, h, fill} or {}, and "shown": {mode: "with" | "without" | "difference"}. */

import { coverEditor } from "./cover.js";
import { segmented } from "./page.js";

const MODES = [
  ["with", "with", "the face as it is covered"],
  ["without", "without", "the face as it is"],
  ["difference", "difference", "covered minus uncovered"],
];

/* Lines from where landmarks were, [x, y] in [0, 1] of the crop, to where they are. */
export function drawShifts(ctx, view, from, points) {
  if (!from || from.length !== points.length) return;
  ctx.save();
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.6;
  ctx.lineCap = "round";
  points.forEach((p, i) => {
    ctx.beginPath();
    ctx.moveTo(...view.px(from[i]));
    ctx.lineTo(...view.px(p));
    ctx.stroke();
  });
  ctx.restore();
}

const NONE = {
  controls: [],
  busy: () => false,
  place() {},
  under() {},
  arrived() {},
  stop() {},
};

/**
 * What a view needs of it: controls for its strip, `under(ctx, view)` to be drawn on the photograph, `arrived()` after
 * news from Python, `place()` when the face has another size.
 * @param {any} kit {host, holder (of the face's canvas), face (its surface), view() -> View, points() -> places of the
 *   landmarks, landmark() -> the pinned one | null, paint()}
 */
export function coverTools(kit) {
  const { host } = kit;
  if (!host.meta.fills) return NONE;
  const cover = coverEditor({
    ...kit,
    now: () => ({ s: { landmark: kit.landmark() }, drawn: kit.points }),
  });
  const mode = () => host.get("shown")?.mode ?? "with";
  const modes = segmented("", MODES, mode(), (next) => {
    host.set("shown", { mode: next });
    kit.paint();
  });
  function sync() {
    modes.set(mode());
    modes.node.hidden = !host.meta.occluder;
  }
  sync();
  return {
    controls: host.kind === "file" ? [] : [...cover.controls, modes.node],
    busy: cover.busy,
    place: cover.place,
    under: (ctx, view) => mode() !== "without" && cover.draw(ctx, view),
    arrived() {
      cover.arrived();
      sync();
    },
    stop: cover.stop,
  };
}
