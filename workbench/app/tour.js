// Three steps for who comes for the first time, on Start; once they are over, or skipped, the browser remembers it.

const SEEN = "workbench-tour-seen";
const STEPS = [
  [
    "Choose",
    "Take a face from the strip, or a photograph of your own, and a model above: all pages then show these two.",
  ],
  [
    "Look",
    "Pages at the left show what the model did. Point at a landmark or a place, click to keep it; the line below " +
      "each picture says what is drawn.",
  ],
  [
    "Ask",
    "What if cuts or exchanges a part, the occluder covers the face, Compare sets two answers side by side. " +
      "The button ? lists the keys.",
  ],
];
const STYLE = `
section {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 6px 14px;
  padding: 9px 14px;
  border-radius: 9px;
  border: 1px solid color-mix(in srgb, var(--st-primary-color, #0b6a8f) 45%, transparent);
  background: color-mix(in srgb, var(--st-primary-color, #0b6a8f) 8%, var(--st-background-color, #fff));
  color: var(--st-text-color, #222);
  font: 14px / 1.45 var(--st-font, system-ui, sans-serif);
}
p { margin: 0; flex: 1 1 320px; }
.steps { font-variant-numeric: tabular-nums; }
button {
  all: unset;
  box-sizing: border-box;
  cursor: pointer;
  min-height: 30px;
  padding: 3px 12px;
  border-radius: 7px;
  border: 1px solid color-mix(in srgb, var(--st-text-color, #222) 30%, transparent);
}
button:hover { background: color-mix(in srgb, var(--st-text-color, #222) 8%, transparent); }
button:focus-visible { outline: 2px solid var(--st-primary-color, #0b6a8f); outline-offset: 1px; }
`;

/* A browser may refuse to remember anything; then the steps come again. */
function seen(set) {
  try {
    if (set) localStorage.setItem(SEEN, "yes");
    return localStorage.getItem(SEEN) === "yes";
  } catch {
    return false;
  }
}

const places = new WeakMap();

export default function tour({ parentElement }) {
  if (places.has(parentElement)) return places.get(parentElement);
  const close = () => {
    places.delete(parentElement);
    parentElement.replaceChildren();
  };
  places.set(parentElement, close);
  if (seen()) return close;
  const style = Object.assign(document.createElement("style"), { textContent: STYLE });
  const box = document.createElement("section");
  box.setAttribute("aria-label", "First steps");
  const words = document.createElement("p");
  words.setAttribute("aria-live", "polite");
  const next = Object.assign(document.createElement("button"), { type: "button" });
  const skip = Object.assign(document.createElement("button"), { type: "button", textContent: "Skip" });
  let at = 0;
  const show = () => {
    const [head, text] = STEPS[at];
    const title = Object.assign(document.createElement("b"), {
      textContent: `${at + 1} of ${STEPS.length}: ${head}. `,
    });
    words.replaceChildren(title, text);
    next.textContent = at + 1 < STEPS.length ? "Next" : "Done";
    skip.hidden = at + 1 === STEPS.length;
    skip.style.display = skip.hidden ? "none" : "";
  };
  const end = () => {
    seen(true);
    box.remove();
  };
  next.addEventListener("click", () => {
    at += 1;
    if (at < STEPS.length) show();
    else end();
  });
  skip.addEventListener("click", end);
  show();
  box.append(words, next, skip);
  parentElement.append(style, box);
  return close;
}
