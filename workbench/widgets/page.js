/* The page around the canvases, its controls, and motion. No DOM is touched at load time. */

import { number } from "./numbers.js";
import { PAGE_STYLE } from "./page_style.js";
import { roving } from "./roving.js";

/**
 * An element with attributes ("on..." are listeners; null and false leave one out) and children.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c != null));
  return node;
}

/**
 * What every widget stands in: a strip of controls, the main part and what is beside it, the caption and its foot.
 * @param {import("./host.js").Host} host
 * @param {string} name
 * @param {string} [style]
 */
export function frame(host, name, style = "") {
  const strip = el("div", { class: "wb-strip", role: "toolbar", "aria-label": `${name}: controls` });
  const main = el("div", { class: "wb-main" });
  const side = el("div", { class: "wb-side" });
  const caption = el("p", { class: "wb-caption" });
  const foot = el("div", { class: "wb-foot", role: "toolbar", "aria-label": `${name}: save` });
  const said = el("div", { class: "wb-say", "aria-live": "polite" });
  const root = el(
    "section",
    { class: "wb", "aria-label": name },
    el("style", {}, PAGE_STYLE + style),
    strip,
    el("div", { class: "wb-stage" }, main, side),
    el("div", { class: "wb-below" }, caption, foot),
    said,
  );
  host.root.append(root);
  const stops = [roving(strip), roving(foot)];
  return {
    root,
    strip,
    main,
    side,
    caption,
    foot,
    say: (text) => {
      said.textContent = text;
    },
    close: () => {
      for (const stop of stops) stop();
      root.remove();
    },
  };
}

/**
 * Colours of the page that the widget stands in, for what is drawn outside of photographs.
 * @param {Element} node
 * @returns {{ dark: boolean, ink: string, soft: string, faint: string, hair: string, ground: string, font: string }}
 */
const themes = new Map();
export function theme(node) {
  const { color, fontFamily } = getComputedStyle(node);
  if (!themes.has(color)) {
    const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    const ink = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
    const dark = 0.299 * ink[0] + 0.587 * ink[1] + 0.114 * ink[2] > 128;
    const ground = dark ? [20, 22, 26] : [255, 255, 255];
    const css = (alpha) => `rgb(${ink.join(" ")} / ${alpha})`;
    themes.set(color, {
      dark,
      ink: css(1),
      soft: css(0.68),
      faint: css(0.28),
      hair: css(0.12),
      ground: `rgb(${ground.join(" ")})`,
    });
  }
  return { ...themes.get(color), font: fontFamily };
}

/** A button; one whose text is a sign is named by its title. */
export function button(text, title, onclick) {
  return el("button", { type: "button", title, "aria-label": text && !/\w/.test(text) ? title : null, onclick }, text);
}

/* choices: [[value, text, title]]. One is pressed; -> {node, set(value)}. */
export function segmented(label, choices, value, onchange) {
  const node = el("span", {
    class: "wb-field",
    role: "group",
    "aria-label": label || choices.map((c) => c[1]).join(" or "),
  });
  const seg = el("span", { class: "wb-seg" });
  const set = (now) => buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(choices[k][0] === now)));
  const buttons = choices.map(([v, text, title]) =>
    el(
      "button",
      {
        type: "button",
        title,
        onclick: () => {
          set(v);
          onchange(v);
        },
      },
      text,
    ),
  );
  seg.append(...buttons);
  node.append(...(label ? [label] : []), seg);
  set(value);
  return { node, set };
}

/** One of several in a list that opens. choices: {value: text}; -> {node, set(value)}. */
export function choice(label, choices, value, onchange) {
  const options = Object.entries(choices).map(([v, text]) => el("option", { value: v }, text));
  const list = el("select", { onchange: () => onchange(list.value) }, ...options);
  list.value = value;
  return {
    node: el("label", { class: "wb-field" }, label, list),
    set: (v) => {
      list.value = v;
    },
  };
}

export function toggle(text, title, value, onchange) {
  let now = Boolean(value);
  const node = el(
    "button",
    {
      type: "button",
      title,
      onclick: () => {
        set(!now);
        onchange(now);
      },
    },
    text,
  );
  const set = (next) => {
    now = Boolean(next);
    node.setAttribute("aria-pressed", String(now));
  };
  set(now);
  return { node, set };
}

/**
 * oninput while it moves (local only), oncommit when it is let go; -> {node, set(value), range(min, max, step)}; set
 * follows range.
 * @param {string} label
 * @param {string} title
 * @param {{ min: number, max: number, step: number, value: number, format?: (v: number) => string }} range
 * @param {(v: number) => void} oninput
 * @param {(v: number) => void} [oncommit]
 */
export function slider(label, title, { min, max, step, value, format = number }, oninput, oncommit = () => {}) {
  const shown = el("output");
  const input = el("input", { type: "range", min, max, step, title, "aria-label": title });
  const show = (v) => {
    shown.textContent = format(v);
    input.setAttribute("aria-valuetext", format(v));
  };
  input.addEventListener("input", () => {
    show(+input.value);
    oninput(+input.value);
  });
  input.addEventListener("change", () => oncommit(+input.value));
  const set = (v) => {
    input.value = v;
    show(v);
  }; // the value in force, which the knob's steps may miss
  set(value);
  return {
    node: el("label", { class: "wb-field" }, label, input, shown),
    set,
    range: (lo, hi, by) => {
      input.min = lo;
      input.max = hi;
      input.step = by;
    },
  };
}

export const spacer = () => el("span", { class: "wb-gap" });

/* lines: strings or [left, right] pairs; the first is bold. x, y are client pixels; corner() stays out of the way, in
the upper corner of `node` that is farther from the pointer. */
export function tooltip(page) {
  const tip = el("div", { class: "wb-tip", role: "tooltip", "aria-hidden": "true" });
  page.root.append(tip);
  function fill(lines) {
    tip.replaceChildren(
      ...lines.map((line, k) => {
        const [left, right] = Array.isArray(line) ? line : [line];
        return el("div", {}, el(k ? "span" : "b", {}, left), right == null ? null : el("i", {}, right));
      }),
    );
    tip.classList.add("on");
    return page.root.getBoundingClientRect();
  }
  function put(x, y) {
    tip.style.left = `${x}px`;
    tip.style.top = `${y}px`;
  }
  return {
    show(x, y, lines) {
      const box = fill(lines);
      const w = tip.offsetWidth;
      const h = tip.offsetHeight;
      const left = x - box.left + 14 + w > box.width ? x - box.left - w - 12 : x - box.left + 14;
      put(Math.max(2, left), Math.max(2, Math.min(y - box.top + 12, box.height - h - 2)));
    },
    corner(node, x, lines) {
      const box = fill(lines);
      const place = node.getBoundingClientRect();
      put(
        x < place.left + place.width / 2 ? place.right - box.left - tip.offsetWidth - 8 : place.left - box.left + 8,
        place.top - box.top + 8,
      );
    },
    hide: () => tip.classList.remove("on"),
  };
}

/* step(0..1) once a frame; jumps to the end where motion is unwanted. */
export function animate(ms, step) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    step(1);
    return () => {};
  }
  const start = performance.now();
  let id = requestAnimationFrame(function tick(now) {
    const t = Math.min(1, Math.max(0, (now - start) / ms));
    step(t < 1 ? t * t * (3 - 2 * t) : 1);
    if (t < 1) id = requestAnimationFrame(tick);
  });
  return () => cancelAnimationFrame(id);
}

/** Points on their way from start to target; `put` gets them once a frame. */
export const glide = (start, target, put) =>
  animate(380, (t) => put(start.map(([x, y], i) => [x + (target[i][0] - x) * t, y + (target[i][1] - y) * t])));

/** The lines of a tooltip as one sentence for a screen reader. */
export const spoken = (lines) => lines.map((line) => [].concat(line).join(" ")).join(", ");
