/* The controls of the Shape editor: tools and templates above the plane, and what is done to chosen points. */

import { button, el, segmented, spacer, toggle } from "./page.js";
import { changeGroup, groupsOf } from "./shape_edits.js";
import { TOOLS } from "./shape_strokes.js";

const NUMBER = { type: "number", min: 2, max: 200, step: 1 };
const TURN = Math.PI / 36; // of a button, five degrees
const GROW = 1.05;

/**
 * @param {any} page page.js: frame
 * @param {any} v what is shown
 * @param {any} acts
 * @returns {{ refresh(): void, typing(node: any): boolean }}
 */
export function controls(page, v, acts) {
  const { meta } = v;
  const names = Object.keys(meta.templates);
  const pick = el(
    "select",
    { "aria-label": "Start from a template", title: "start from a template; what was drawn can be had back by undo" },
    el("option", { value: "" }, "start from …"),
    ...["conventions", "parts", "shapes"].map((kind) =>
      el(
        "optgroup",
        { label: kind },
        ...names
          .filter((name) => (meta.templates[name].kind ?? "conventions") === kind)
          .map((name) => el("option", { value: name }, `${name} · ${meta.templates[name].points.length}`)),
      ),
    ),
  );
  pick.addEventListener("change", () => {
    const name = pick.value;
    if (name) acts.start(name, meta.templates[name].kind !== undefined && meta.templates[name].kind !== "conventions");
    pick.value = "";
  });
  const empty = button("empty", "an empty plane", () => acts.start(""));
  const tools = segmented("", TOOLS, v.tool, acts.use);
  const count = el("input", { ...NUMBER, value: v.count, "aria-label": "Points of a stroke, line, ellipse or grid" });
  count.addEventListener("input", () => {
    v.count = Math.max(2, Math.min(NUMBER.max, Math.round(+count.value) || 2));
    acts.paint();
  });
  const howMany = el("label", { class: "wb-field", title: "how many points a stroke becomes" }, count, "points");
  const twins = toggle("mirror", "what is drawn and moved is mirrored as well", v.mirror, (on) => {
    v.mirror = on;
    acts.paint();
  });
  const snap = toggle("snap", "points jump to anchors that are near", v.snap, (on) => {
    v.snap = on;
  });
  const correct = toggle(
    "correct",
    "drag points on the photograph to where they belong there; the plane stays, and a model can be taught from it",
    v.correct,
    (on) => acts.correct(on),
  );
  const uncorrect = button("as found", "take back what was corrected on this photograph", () => acts.mark(new Map()));
  const back = button("undo", "undo (Ctrl+Z)", () => acts.turn("undo"));
  const forth = button("redo", "redo (Ctrl+Shift+Z)", () => acts.turn("redo"));
  const digits = toggle("numbers", "write every point's number beside it", v.numbers, (on) => acts.number(on));
  const ground = toggle("average face", "the mean of the sample faces behind the plane", v.background, (on) => {
    v.background = on;
    acts.paint();
  });
  const zoom = el(
    "span",
    { class: "wb-seg", role: "group", "aria-label": "Zoom of the plane" },
    button("−", "zoom out (-)", () => acts.zoom(1 / 1.4)),
    button("fit", "the whole plane (0)", () => acts.zoom(0)),
    button("+", "zoom in (+)", () => acts.zoom(1.4)),
  );
  const film = button("▶ from before", "play the way from the shape before the last edit, found step by step", () =>
    acts.animate(""),
  );
  const origin = button("▶ from template", "play the way from the template's points, found step by step", () =>
    acts.animate(v.drawing.template),
  );
  const state = el("span", { class: "wb-state" });

  /* What is done to chosen points ------------------------------------------------------------------- */

  const bin = button("delete", "delete the chosen points (Delete)", acts.remove);
  const naming = el("input", {
    type: "text",
    placeholder: "name this group",
    maxlength: 40,
    "aria-label": "Name for the chosen points; Enter joins them by a line in the order in which they were chosen",
  });
  naming.addEventListener("keydown", (event) => {
    const name = naming.value.trim();
    if (event.key !== "Enter" || !name) return;
    acts.join(name);
    naming.value = "";
  });
  const group = () => groupsOf(v.drawing, v.chosen)[0] ?? null;
  const change = (what) => acts.edited(changeGroup(v.drawing, group(), what));
  const closed = toggle("closed", "the group's last point joins its first", false, (on) => change({ closed: on }));
  const filled = toggle("filled", "the outline filled with its colour, on the faces too", false, (on) =>
    change({ fill: on, closed: on || Boolean(group()?.closed) }),
  );
  const colour = el("input", { type: "color", title: "colour of the group", "aria-label": "Colour of the group" });
  colour.addEventListener("change", () => change({ colour: colour.value }));
  const apart = button("ungroup", "the points stay, their line goes", () => change(null));
  const many = el(
    "span",
    { class: "wb-many" },
    button("mirror once", "copies of the chosen points beyond the face's axis (M)", acts.mirrorOnce),
    button("align ↔", "to one height", () => acts.align(1)),
    button("align ↕", "one above the other", () => acts.align(0)),
    button("distribute", "at equal distances, in the order in which they were chosen", acts.distribute),
    button("⟲", "turn by −5° ([)", () => acts.spin(-TURN, 1)),
    button("⟳", "turn by 5° (])", () => acts.spin(TURN, 1)),
    button("⤡", "smaller by 5 % (<)", () => acts.spin(0, 1 / GROW)),
    button("⤢", "larger by 5 % (>)", () => acts.spin(0, GROW)),
  );
  const grouped = el("span", { class: "wb-many" }, closed.node, filled.node, colour, apart);
  const copy = button("duplicate", "the chosen points once more (Ctrl+D)", acts.duplicate);
  const chosenBar = el(
    "div",
    { class: "wb-strip wb-chosen", role: "toolbar", "aria-label": "Shape: chosen points" },
    el("span", { class: "wb-count" }),
    bin,
    copy,
    many,
    naming,
    grouped,
  );
  if (meta.live) {
    page.strip.append(
      pick,
      empty,
      tools.node,
      howMany,
      twins.node,
      snap.node,
      ...(meta.teach ? [correct.node, uncorrect] : []),
      back,
      forth,
      film,
      origin,
    );
    page.strip.after(chosenBar);
  }
  page.strip.append(spacer(), ground.node, digits.node, zoom, state);

  return {
    refresh() {
      const { chosen, drawing } = v;
      const size = chosen.size;
      const whole = group();
      tools.set(v.tool);
      digits.set(v.numbers);
      ground.node.hidden = !v.average;
      correct.set(v.correct);
      uncorrect.hidden = !v.marks.size;
      back.disabled = !acts.past.canUndo;
      forth.disabled = !acts.past.canRedo;
      film.disabled = !acts.past.canUndo || !drawing.points.length;
      origin.hidden = !v.meta.templates[drawing.template];
      chosenBar.toggleAttribute("inert", !size);
      chosenBar.classList.toggle("off", !size);
      chosenBar.firstChild.textContent = size ? `${size} of ${drawing.points.length} chosen` : "nothing chosen";
      bin.textContent = size > 1 ? `delete ${size}` : "delete";
      many.hidden = size < 2;
      naming.hidden = size < 2;
      grouped.hidden = !whole;
      if (whole) {
        closed.set(whole.closed);
        filled.set(Boolean(whole.fill));
        colour.value = whole.colour || meta.own;
      }
      const n = drawing.points.length;
      const touched = v.looks.some((look) => !look.anchor);
      state.textContent = v.pending
        ? "finding …"
        : `${n} ${n === 1 ? "point" : "points"}${touched ? "" : n ? " as trained" : ""}` +
          (v.marks.size ? `, ${v.marks.size} corrected` : "");
    },
    typing: (node) => node === naming || node === count || node === colour || node === pick,
  };
}
