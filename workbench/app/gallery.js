// A strip of faces to choose from: real buttons, arrow keys, one message when one is chosen.

const STYLE = `
:host,
.strip {
  display: block;
}
.strip {
  display: grid;
  grid-auto-flow: column;
  grid-auto-columns: 68px;
  gap: 8px;
  align-items: start;
  overflow-x: auto;
  overscroll-behavior-x: contain;
  padding: 5px 5px 8px;
  scrollbar-width: thin;
  margin: 0;
  list-style: none;
}
.frame {
  position: relative;
}
/* More faces lie beyond an edge. */
.frame::before,
.frame::after {
  content: "‹";
  position: absolute;
  z-index: 1;
  inset-block: 0 8px;
  left: 0;
  width: 34px;
  display: grid;
  place-items: center start;
  font: 600 22px / 1 var(--st-font, system-ui, sans-serif);
  color: var(--st-text-color, #222);
  background: linear-gradient(to right, var(--st-background-color, #fff) 45%, transparent);
  pointer-events: none;
  opacity: 0;
}
.frame::after {
  content: "›";
  left: auto;
  right: 0;
  place-items: center end;
  background: linear-gradient(to left, var(--st-background-color, #fff) 45%, transparent);
}
.frame.before::before,
.frame.after::after {
  opacity: 1;
}
button {
  all: unset;
  box-sizing: border-box;
  display: block;
  width: 100%;
  cursor: pointer;
  border-radius: 8px;
  position: relative;
  transition: transform 0.12s ease;
}
button img {
  display: block;
  width: 100%;
  aspect-ratio: 1;
  object-fit: cover;
  border-radius: 8px;
  box-shadow: 0 0 0 1px rgb(0 0 0 / 0.14);
}
button:hover img {
  box-shadow: 0 0 0 2px rgb(0 0 0 / 0.35);
}
button:focus-visible img {
  box-shadow:
    0 0 0 2px var(--st-background-color, #fff),
    0 0 0 4px var(--st-text-color, #222);
}
button[aria-pressed="true"] img {
  box-shadow:
    0 0 0 2px var(--st-background-color, #fff),
    0 0 0 4px var(--st-primary-color, #0b6e99);
}
span {
  display: block;
  margin-top: 4px;
  font: 500 11px / 1.2 var(--st-font, system-ui, sans-serif);
  color: var(--st-text-color, #222);
  opacity: 0.8;
  text-align: center;
  overflow-wrap: anywhere;
  display: -webkit-box;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
  overflow: hidden;
}
button[aria-pressed="true"] span {
  opacity: 1;
  font-weight: 650;
}
@media (prefers-reduced-motion: no-preference) {
  button:active {
    transform: scale(0.97);
  }
}
`;

function tile(item, selected, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = item.title;
  button.dataset.name = item.name;
  button.setAttribute("aria-pressed", String(item.name === selected));
  const image = document.createElement("img");
  image.src = item.src;
  image.alt = "";
  image.draggable = false;
  const label = document.createElement("span");
  label.textContent = item.label;
  button.append(image, label);
  button.addEventListener("click", () => choose(item.name));
  return button;
}

function step(event, strip) {
  const buttons = [...strip.querySelectorAll("button")];
  const ends = { Home: -buttons.length, End: buttons.length };
  const move = { ArrowRight: 1, ArrowLeft: -1, ...ends }[event.key];
  if (!move) return;
  const at = buttons.indexOf(strip.getRootNode().activeElement);
  buttons[Math.max(0, Math.min(buttons.length - 1, at + move))]?.focus();
  event.preventDefault();
}

/* The strip is one Tab stop: the tile that has the focus, or the chosen one. */
function settle(strip) {
  const buttons = [...strip.querySelectorAll("button")];
  const focused = strip.getRootNode().activeElement;
  const stop =
    buttons.find((b) => b === focused) ?? buttons.find((b) => b.getAttribute("aria-pressed") === "true") ?? buttons[0];
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}

/* The strip alone is scrolled, never the page. */
function reveal(tile, strip) {
  if (!tile) return;
  const box = strip.getBoundingClientRect();
  const place = tile.getBoundingClientRect();
  const margin = 40; // what follows is hinted at
  if (place.left < box.left) strip.scrollLeft += place.left - box.left - margin;
  else if (place.right > box.right) strip.scrollLeft += place.right - box.right + margin;
}

/* Whether faces lie beyond the left and the right edge. */
function hint(strip) {
  const { scrollLeft, clientWidth, scrollWidth } = strip;
  strip.parentElement.classList.toggle("before", scrollLeft > 8);
  strip.parentElement.classList.toggle("after", scrollLeft + clientWidth < scrollWidth - 8);
}

const roots = new WeakMap();

export default function gallery({ parentElement, data, setTriggerValue }) {
  let strip = roots.get(parentElement);
  if (!strip) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    strip = document.createElement("div");
    strip.className = "strip";
    strip.setAttribute("role", "group");
    strip.setAttribute("aria-label", "Faces to choose from");
    strip.addEventListener("keydown", (event) => step(event, strip));
    strip.addEventListener("focusin", () => settle(strip));
    const frame = document.createElement("div");
    frame.className = "frame";
    frame.append(strip);
    strip.addEventListener("scroll", () => hint(strip), { passive: true });
    new ResizeObserver(() => hint(strip)).observe(strip);
    parentElement.append(style, frame);
    roots.set(parentElement, strip);
  }
  const choose = (name) => {
    for (const button of strip.children) {
      button.setAttribute("aria-pressed", String(button.dataset.name === name));
    }
    setTriggerValue("pick", name);
  };
  const scroll = strip.scrollLeft;
  const focused = strip.getRootNode().activeElement?.dataset?.name;
  strip.replaceChildren(...data.items.map((item) => tile(item, data.selected, choose)));
  strip.scrollLeft = scroll;
  if (strip.dataset.shown !== data.selected)
    requestAnimationFrame(() => reveal(strip.querySelector('[aria-pressed="true"]'), strip));
  strip.dataset.shown = data.selected;
  settle(strip);
  requestAnimationFrame(() => hint(strip));
  if (focused) [...strip.children].find((b) => b.dataset.name === focused)?.focus({ preventScroll: true });
  return () => roots.delete(parentElement);
}
