/* The keys of the Shape editor. */

import { ARROWS } from "./geometry.js";
import { pointLook } from "./shape_edits.js";
import { TOOL_KEYS } from "./shape_strokes.js";
import { addPoints } from "./shape_tools.js";

const FINE = 0.004;
const COARSE = 0.02;
const TURN = Math.PI / 90; // two degrees

/**
 * @param {any} page page.js: frame
 * @param {any} v what is shown
 * @param {any} acts
 * @param {{ canvases: Element[], typing: (node: any) => boolean, slow: number }} where
 */
export function listenToKeys(page, v, acts, { canvases, typing, slow }) {
  const lastChosen = () => v.drawing.ids.indexOf([...v.chosen].at(-1));
  function next(by) {
    const { ids } = v.drawing;
    if (!ids.length) return;
    const at = lastChosen();
    const k = at < 0 ? (by > 0 ? 0 : ids.length - 1) : (at + by + ids.length) % ids.length;
    v.chosen = new Set([ids[k]]);
    v.hover = ids[k];
    v.pointed = "";
    page.say(`point ${k}, ${pointLook(v.drawing, k, v.meta).label}`);
    acts.refresh();
  }
  function addBeside() {
    const i = lastChosen();
    const edge = 1 + v.meta.reach;
    const at = i < 0 ? [0.5, 0.5] : v.drawing.points[i].map((x) => Math.min(edge, x + 0.03));
    const { drawing, ids } = addPoints(v.drawing, [at], v.meta.most);
    if (!ids.length) return;
    v.chosen = new Set(ids);
    acts.edited(drawing, v.drawing, slow);
    page.say(`point ${drawing.ids.length - 1} added`);
  }
  function letGo() {
    if (v.stroke) v.stroke = null;
    else if (v.chosen.size) v.chosen.clear();
    else acts.use("select");
    acts.refresh();
  }
  page.root.addEventListener("keydown", (event) => {
    if (typing(event.target) || !v.meta.live) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const arrow = ARROWS[key];
    const control = event.ctrlKey || event.metaKey;
    const onCanvas = canvases.includes(event.target);
    const some = v.chosen.size > 0;
    if (control && key === "z") acts.turn(event.shiftKey ? "redo" : "undo");
    else if (control && key === "y") acts.turn("redo");
    else if (control && key === "a") acts.choose(v.drawing.ids);
    else if (control && key === "d" && some) acts.duplicate();
    else if (control || event.altKey || !onCanvas) return;
    else if (arrow && some) acts.nudge(arrow, event.shiftKey ? COARSE : FINE);
    else if (arrow || key === "PageDown") next(1);
    else if (key === "PageUp") next(-1);
    else if (key === "Delete" || key === "Backspace") acts.remove();
    else if (key === "Enter" && v.stroke) acts.finish();
    else if (key === "Enter" || key === "Insert") addBeside();
    else if (key === "[" || key === "]") acts.spin(key === "[" ? -TURN : TURN, 1, slow);
    else if (key === "<" || key === ">") acts.spin(0, key === "<" ? 1 / 1.02 : 1.02, slow);
    else if (key === "m" && some) acts.mirrorOnce();
    else if (key === "+" || key === "=") acts.zoom(1.4);
    else if (key === "-") acts.zoom(1 / 1.4);
    else if (key === "0") acts.zoom(0);
    else if (TOOL_KEYS[key]) acts.use(TOOL_KEYS[key]);
    else if (key === "Escape" && (v.stroke || some || v.tool !== "select")) letGo();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the app has keys of its own
  });
}
