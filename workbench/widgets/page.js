/* page.js: the page around the canvases, its controls, and motion. No DOM is touched at load time. */

import { number } from "./numbers.js";

const WB_STYLE = `
.wb { --ink: var(--st-text-color, var(--jp-ui-font-color1, light-dark(#1d2126, #e7e9ec)));
  --ground: var(--st-background-color, var(--jp-layout-color0, light-dark(#fff, #14161a)));
  --accent: var(--st-primary-color, var(--jp-brand-color1, #0072b2));
  --soft: color-mix(in srgb, var(--ink) 68%, var(--ground)); --line: color-mix(in srgb, var(--ink) 16%, var(--ground));
  --raised: color-mix(in srgb, var(--ink) 5%, var(--ground));
  container-type: inline-size; position: relative; color: var(--ink); font: 13px/1.35 var(--st-font, var(--jp-ui-font-family, system-ui, sans-serif));
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased; }
.wb *, .wb *::before { box-sizing: border-box; }
.wb-strip { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; padding: 0 0 8px; }
.wb-stage { display: grid; grid-template-columns: minmax(0, 1.76fr) minmax(0, 1fr); gap: 14px; align-items: start; }
.wb-main, .wb-side { position: relative; min-width: 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px; }
.wb-below { display: flex; align-items: flex-start; gap: 12px; margin-top: 8px; } .wb-foot { display: flex; gap: 6px; margin-left: auto; }
.wb-caption { margin: 4px 0 0; flex: 1; color: var(--soft); font-size: 12px; min-height: 1.35em; }
.wb-caption code { font: 11.5px/1.3 var(--st-code-font, var(--jp-code-font-family, ui-monospace, monospace)); color: var(--ink); }
.wb-field { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); white-space: nowrap; }
.wb-field output { color: var(--ink); min-width: 4.4ch; }
.wb-seg { display: inline-flex; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.wb button { font: inherit; color: var(--ink); background: none; border: 1px solid var(--line); border-radius: 6px; padding: 2px 9px; min-height: 26px; cursor: pointer; }
.wb-seg button { border: 0; border-radius: 0; }
.wb-seg button + button { border-left: 1px solid var(--line); }
.wb button:hover { background: var(--raised); }
.wb button[aria-pressed=true] { background: var(--ink); color: var(--ground); border-color: var(--ink); }
.wb button:disabled { opacity: .4; cursor: default; }
.wb :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
/* Inside, where a rounded frame would cut it off; on a face two-coloured, so that it shows on any photograph. */
.wb canvas:focus-visible, .wb-seg button:focus-visible { outline-offset: -2px; }
.wb-seg button[aria-pressed=true]:focus-visible { box-shadow: inset 0 0 0 3.5px var(--ground); }
.wb-seg button:first-child { border-radius: 5px 0 0 5px; } .wb-seg button:last-child { border-radius: 0 5px 5px 0; }
.wb-face:has(> canvas:focus-visible)::after { content: ""; position: absolute; inset: 0; border-radius: inherit; pointer-events: none; box-shadow: inset 0 0 0 3px var(--accent), inset 0 0 0 5px #fff; }
.wb input[type=range] { width: 68px; accent-color: var(--ink); margin: 0; height: 20px; cursor: pointer; }
.wb canvas { display: block; width: 100%; touch-action: pan-y; }
.wb-face { position: relative; border-radius: 8px; overflow: hidden; background: #101114; }
.wb-tip { position: absolute; z-index: 5; pointer-events: none; max-width: 270px; padding: 6px 9px; border-radius: 6px; background: color-mix(in srgb, #101114 94%, transparent); color: #f3f4f5; font-size: 12px; box-shadow: 0 2px 10px rgb(0 0 0 / .35); opacity: 0; }
.wb-tip.on { opacity: 1; }
.wb-tip div { display: flex; gap: 12px; justify-content: space-between; } .wb-tip b { font-weight: 600; }
.wb-tip i { font-style: normal; opacity: .72; }
.wb-gap { flex: 1; }
.wb-say { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@container (max-width: 900px) { .wb-stage { grid-template-columns: minmax(0, 1.4fr) minmax(0, 1fr); } }
@container (max-width: 700px) { .wb-stage { grid-template-columns: minmax(0, 1fr); } .wb-gap { display: none; } .wb-strip { gap: 6px 10px; } }
`;

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c != null));
  return node;
}

export function frame(host, name, style = "") {
  const strip = el("div", { class: "wb-strip", role: "toolbar", "aria-label": `${name}: controls` });
  const main = el("div", { class: "wb-main" });
  const side = el("div", { class: "wb-side" });
  const caption = el("p", { class: "wb-caption" });
  const foot = el("div", { class: "wb-foot" });
  const said = el("div", { class: "wb-say", "aria-live": "polite" });
  const root = el(
    "section",
    { class: "wb", "aria-label": name },
    el("style", {}, WB_STYLE + style),
    strip,
    el("div", { class: "wb-stage" }, main, side),
    el("div", { class: "wb-below" }, caption, foot),
    said,
  );
  host.root.append(root);
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
    close: () => root.remove(),
  };
}

/* Colours of the page that the widget stands in, for what is drawn outside of photographs. */
const WB_THEMES = new Map();
export function theme(node) {
  const { color, fontFamily } = getComputedStyle(node);
  if (!WB_THEMES.has(color)) {
    const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    const ink = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
    const css = (alpha) => `rgb(${ink.join(" ")} / ${alpha})`;
    WB_THEMES.set(color, {
      dark: 0.299 * ink[0] + 0.587 * ink[1] + 0.114 * ink[2] > 128,
      ink: css(1),
      soft: css(0.68),
      faint: css(0.28),
      hair: css(0.12),
    });
  }
  return { ...WB_THEMES.get(color), font: fontFamily };
}

export function button(text, title, onclick) {
  return el("button", { type: "button", title, "aria-label": text && !/\w/.test(text) ? title : null, onclick }, text); // a sign needs words
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

/* oninput while it moves (local only), oncommit when it is let go; -> {node, set(value), range(min, max, step)}; set
follows range. */
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
