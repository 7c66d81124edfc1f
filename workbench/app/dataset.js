// A whole run: a scatter to brush, a histogram and a CED of what is chosen, and a wall of faces that draws only what
// is in sight and asks for the pictures of those alone.

import { ced, extent, floats, frame, histogram, short, sized } from "./dataset_charts.js";

const STYLE = `
:host { display: block; }
.top { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: end; margin-bottom: 8px; }
label { display: grid; gap: 2px; font-size: 12px; color: var(--soft); }
select, .ghost { font: 500 13px var(--st-font, system-ui); color: inherit; padding: 6px 8px; border-radius: 7px;
  border: 1px solid var(--line); background: var(--st-secondary-background-color, #f3f5f8); max-width: 16rem; }
.ghost { cursor: pointer; }
select:focus-visible, button:focus-visible, canvas:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; }
.body { display: grid; grid-template-columns: minmax(300px, 46%) 1fr; gap: 18px; }
canvas { display: block; width: 100%; touch-action: none; }
.scatter { cursor: crosshair; }
.small { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; margin-top: 8px; }
p { margin: 6px 0 0; font-size: 12px; line-height: 1.45; color: var(--soft); }
.wall { height: 620px; overflow-y: auto; position: relative; border-top: 1px solid var(--line); scrollbar-width: thin; }
.inner { position: relative; }
.card { all: unset; box-sizing: border-box; position: absolute; cursor: pointer; padding: 4px; border-radius: 9px; }
.card:hover, .card[aria-pressed="true"] { background: color-mix(in srgb, var(--accent) 16%, transparent); }
.card svg { display: block; width: 100%; aspect-ratio: 1; border-radius: 7px;
  background: var(--st-secondary-background-color, #eef1f5); }
.card span { display: block; margin-top: 3px; font: 500 11px/1.25 var(--st-font, system-ui); white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
.card span + span { color: var(--soft); font-weight: 400; margin-top: 0; }
.root { --soft: color-mix(in srgb, var(--st-text-color, #1b2330) 66%, transparent);
  --line: color-mix(in srgb, var(--st-text-color, #1b2330) 18%, transparent); color: var(--st-text-color, #1b2330);
  font-family: var(--st-font, system-ui); }
@media (max-width: 760px) { .body { grid-template-columns: 1fr; } .wall { height: 480px; } }
`;
const NS = "http://www.w3.org/2000/svg";

function element(tag, attributes = {}, words = "") {
  const made = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, v);
  if (words) made.textContent = words;
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, v);
  return made;
}

class Dataset {
  constructor(parent) {
    this.cards = new Map();
    this.root = element("div", { class: "root" });
    this.root.append(element("style"));
    this.root.firstChild.textContent = STYLE;
    this.top = element("div", { class: "top" });
    this.body = element("div", { class: "body" });
    this.left = element("div");
    this.right = element("div");
    this.scatter = element("canvas", { class: "scatter", tabindex: "0", role: "img" });
    this.histogram = element("canvas", { role: "img" });
    this.ced = element("canvas", { role: "img" });
    this.small = element("div", { class: "small" });
    this.small.append(this.histogram, this.ced);
    this.caption = element("p", { class: "said" });
    this.left.append(this.scatter, this.small, this.caption);
    this.wall = element("div", { class: "wall", role: "list", tabindex: "0", "aria-label": "Faces, sorted" });
    this.inner = element("div", { class: "inner" });
    this.wall.append(this.inner);
    this.count = element("p", { class: "count", role: "status" });
    this.right.append(this.count, this.wall);
    this.body.append(this.left, this.right);
    this.root.append(this.top, this.body);
    parent.append(this.root);
    this.wall.addEventListener("scroll", () => this.paint());
    this.brushing();
    new ResizeObserver(() => this.all()).observe(this.root);
  }

  take(data, set, trigger) {
    this.set = set;
    this.trigger = trigger;
    for (const [i, card] of Object.entries(data.cards ?? {})) this.cards.set(Number(i), card);
    if (this.key !== data.key) {
      if (!data.columns) {
        set("has", ""); // this page has forgotten what an earlier one was sent
        return;
      }
      this.key = data.key;
      this.data = data;
      this.cards = new Map(Object.entries(data.cards ?? {}).map(([i, c]) => [Number(i), c]));
      this.columns = new Map(data.columns.map(([name, text]) => [name, floats(text)]));
      this.root.style.setProperty("--accent", data.colours.accent);
      this.x = data.x;
      this.y = data.y;
      this.by = data.by;
      this.down = true;
      this.box = null;
      this.asked = "";
      this.controls();
      this.all();
      set("has", data.key);
    } else this.paint(true);
  }

  controls() {
    const names = [...this.columns.keys()];
    const choice = (words, now, change) => {
      const label = element("label", {}, words);
      const select = element("select", { "aria-label": words });
      for (const name of names) select.append(new Option(name, name, false, name === now));
      select.addEventListener("change", () => change(select.value));
      label.append(select);
      return label;
    };
    const order = element("button", { class: "ghost", type: "button" }, "Largest first");
    order.addEventListener("click", () => {
      this.down = !this.down;
      order.textContent = this.down ? "Largest first" : "Smallest first";
      this.sort();
    });
    const clear = element("button", { class: "ghost clear", type: "button" }, "All faces");
    clear.addEventListener("click", () => {
      this.box = null;
      this.all();
    });
    this.top.replaceChildren(
      choice("Across", this.x, (v) => {
        this.x = v;
        this.box = null;
        this.all();
      }),
      choice("Up", this.y, (v) => {
        this.y = v;
        this.box = null;
        this.all();
      }),
      choice("Sort the faces by", this.by, (v) => {
        this.by = v;
        this.sort();
      }),
      order,
      clear,
    );
  }

  all() {
    if (!this.columns) return;
    this.filter();
    this.drawScatter();
    this.sort();
    const { accent, other } = this.data.colours;
    histogram(this.histogram, this.x, this.columns.get(this.x), this.chosen, accent);
    const errors = this.data.errors.map((name) => this.columns.get(name));
    ced(this.ced, errors, this.chosen, this.data.threshold, [accent, other]);
  }

  filter() {
    const [xs, ys] = [this.columns.get(this.x), this.columns.get(this.y)];
    const b = this.box;
    this.chosen = [];
    for (let i = 0; i < xs.length; i += 1)
      if (!b || (xs[i] >= b[0] && xs[i] <= b[1] && ys[i] >= b[2] && ys[i] <= b[3])) this.chosen.push(i);
  }

  sort() {
    const values = this.columns.get(this.by);
    const sign = this.down ? -1 : 1;
    const worth = (i) => (Number.isFinite(values[i]) ? values[i] * sign : Number.POSITIVE_INFINITY);
    this.order = [...this.chosen].sort((a, b) => worth(a) - worth(b) || a - b);
    const where = this.box ? " in the frame" : "";
    this.count.textContent = `${this.order.length} of ${values.length} faces${where}, by ${this.by}`;
    this.wall.scrollTop = 0;
    this.paint(true);
  }

  drawScatter() {
    const [xs, ys] = [this.columns.get(this.x), this.columns.get(this.y)];
    const on = sized(this.scatter, 330);
    const pen = on.pen;
    const [xe, ye] = [extent(xs), extent(ys)];
    const f = frame(on, this.x, this.y, xe, ye);
    this.map = { ...f, xe, ye };
    const size = xs.length > 3000 ? 1.6 : 2.6;
    pen.fillStyle = this.data.colours.accent;
    const b = this.box;
    for (let i = 0; i < xs.length; i += 1) {
      if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) continue;
      const held = !b || (xs[i] >= b[0] && xs[i] <= b[1] && ys[i] >= b[2] && ys[i] <= b[3]);
      pen.globalAlpha = held ? 0.62 : 0.13;
      pen.fillRect(f.px(xs[i]) - size, f.py(ys[i]) - size, 2 * size, 2 * size);
    }
    pen.globalAlpha = 1;
    if (this.marked !== undefined && Number.isFinite(xs[this.marked])) {
      pen.strokeStyle = this.data.colours.mark;
      pen.lineWidth = 2;
      pen.strokeRect(f.px(xs[this.marked]) - 6, f.py(ys[this.marked]) - 6, 12, 12);
    }
    if (b) {
      pen.strokeStyle = on.ink;
      pen.setLineDash([5, 4]);
      pen.strokeRect(f.px(b[0]), f.py(b[3]), f.px(b[1]) - f.px(b[0]), f.py(b[2]) - f.py(b[3]));
      pen.setLineDash([]);
    }
    this.scatter.setAttribute("aria-label", `${this.y} over ${this.x}, ${xs.length} faces; drag to choose some`);
    this.caption.textContent = this.data.caption;
  }

  brushing() {
    let from = null;
    const place = (event) => {
      const r = this.scatter.getBoundingClientRect();
      const { at, xe, ye } = this.map;
      const x = xe[0] + ((event.clientX - r.left - at.l) / (at.r - at.l)) * (xe[1] - xe[0]);
      const y = ye[0] + ((at.b - event.clientY + r.top) / (at.b - at.t)) * (ye[1] - ye[0]);
      return [x, y, event.clientX, event.clientY];
    };
    this.scatter.addEventListener("pointerdown", (event) => {
      from = place(event);
      this.scatter.setPointerCapture(event.pointerId);
    });
    this.scatter.addEventListener("pointermove", (event) => {
      if (!from) return;
      const now = place(event);
      if (Math.hypot(now[2] - from[2], now[3] - from[3]) < 5) return;
      const sorted = (a, b) => (a < b ? [a, b] : [b, a]);
      this.box = [...sorted(from[0], now[0]), ...sorted(from[1], now[1])];
      this.drawScatter();
    });
    this.scatter.addEventListener("pointerup", (event) => {
      if (!from) return;
      const now = place(event);
      const moved = Math.hypot(now[2] - from[2], now[3] - from[3]) >= 5;
      from = null;
      if (moved) this.all();
      else this.near(now);
    });
    this.scatter.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.box = null;
      this.all();
    });
  }

  near(place) {
    const [x, y] = place;
    const [xs, ys] = [this.columns.get(this.x), this.columns.get(this.y)];
    const { xe, ye } = this.map;
    let [best, found] = [0.0025, -1];
    for (let i = 0; i < xs.length; i += 1) {
      const d = ((xs[i] - x) / (xe[1] - xe[0])) ** 2 + ((ys[i] - y) / (ye[1] - ye[0])) ** 2;
      if (d < best) [best, found] = [d, i];
    }
    if (found >= 0) this.mark(found, true);
  }

  mark(i, scroll) {
    this.marked = i;
    this.drawScatter();
    const at = this.order.indexOf(i);
    if (scroll && at >= 0) this.wall.scrollTop = Math.floor(at / this.across) * this.step;
    this.paint(true);
  }

  paint(fresh) {
    if (!this.order) return;
    const wide = this.wall.clientWidth || 400;
    this.across = Math.max(2, Math.floor(wide / 132));
    const side = Math.floor(wide / this.across);
    this.step = side + 34;
    this.inner.style.height = `${Math.ceil(this.order.length / this.across) * this.step}px`;
    const first = Math.max(0, Math.floor(this.wall.scrollTop / this.step) - 1);
    const last = Math.ceil((this.wall.scrollTop + this.wall.clientHeight) / this.step) + 1;
    const seen = `${first}:${last}:${this.across}`;
    if (!fresh && seen === this.seen) return;
    this.seen = seen;
    const some = this.order.slice(first * this.across, last * this.across);
    const before = this.root.getRootNode().activeElement?.dataset?.face;
    this.inner.replaceChildren(
      ...some.map((i, k) => {
        const at = first * this.across + k;
        const card = this.card(i);
        const top = Math.floor(at / this.across) * this.step;
        card.style.cssText = `left:${(at % this.across) * side}px;top:${top}px;width:${side}px`;
        return card;
      }),
    );
    if (before) this.inner.querySelector(`[data-face="${before}"]`)?.focus({ preventScroll: true });
    this.ask(some);
  }

  ask(some) {
    clearTimeout(this.waiting);
    const wanted = some.filter((i) => !this.cards.has(i)).slice(0, this.data.most);
    if (!wanted.length) return;
    this.waiting = setTimeout(() => {
      const text = JSON.stringify(wanted);
      if (text === this.asked) return;
      this.asked = text;
      this.set("wanted", wanted);
    }, 90);
  }

  card(i) {
    const card = element("button", { class: "card", type: "button", role: "listitem", "data-face": i });
    const value = `${short(this.columns.get(this.by)[i])}`;
    const svg = shape("svg", { viewBox: "0 0 100 100" });
    const known = this.cards.get(i);
    if (known) {
      if (known.src) svg.append(shape("image", { href: known.src, width: 100, height: 100 }));
      const dark = known.src ? "#fff" : "currentColor";
      for (const [x, y] of known.truth) if (x !== null) svg.append(shape("circle", { cx: x, cy: y, r: 1, fill: dark }));
      known.points.forEach(([x, y], k) => {
        const colour = this.data.colours.points[k];
        const s = known.sigma?.[k];
        if (s)
          svg.append(
            shape("ellipse", { cx: x, cy: y, rx: s[0], ry: s[1], fill: "none", stroke: colour, "stroke-width": 0.5 }),
          );
        const t = known.truth[k];
        if (t[0] !== null)
          svg.append(shape("path", { d: `M${t[0]} ${t[1]}L${x} ${y}`, stroke: colour, "stroke-width": 0.8 }));
        svg.append(shape("circle", { cx: x, cy: y, r: 1.1, fill: colour }));
        const [u, v] = known.other?.[k] ?? [null];
        if (u !== null)
          svg.append(
            shape("circle", {
              cx: u,
              cy: v,
              r: 1.3,
              fill: "none",
              stroke: this.data.colours.other,
              "stroke-width": 0.5,
            }),
          );
      });
    }
    const name = known?.name ?? `face ${i + 1}`;
    card.append(svg, element("span", {}, value), element("span", {}, name));
    card.setAttribute("aria-label", `${name}, ${this.by} ${value}`);
    card.setAttribute("aria-pressed", String(this.marked === i));
    card.title = `${name}: ${this.by} ${value}`;
    card.addEventListener("click", () => {
      this.mark(i, false);
      this.trigger("pick", i);
    });
    return card;
  }
}

const shown = new WeakMap();

export default function mount(component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  let here = shown.get(parentElement);
  if (!here) {
    here = new Dataset(parentElement);
    shown.set(parentElement, here);
  }
  here.take(data, setStateValue, setTriggerValue);
}
