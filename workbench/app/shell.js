// What surrounds every page: it notices that the server is gone and has the page read again once it is back, because
// Streamlit by itself would leave parts that nobody touched without a server side. It also copies the page's link.

const OFFLINE =
  "The workbench does not answer. If it was stopped, start it again in its terminal; this page recovers by itself.";
const STYLE = `
:host { display: block; }
button {
  all: unset;
  box-sizing: border-box;
  cursor: pointer;
  min-height: 36px;
  padding: 4px 10px;
  border-radius: 7px;
  border: 1px solid color-mix(in srgb, var(--st-text-color, #222) 22%, transparent);
  color: var(--st-text-color, #222);
  font: 13px / 1.35 var(--st-font, system-ui, sans-serif);
  white-space: nowrap;
}
button:hover { background: color-mix(in srgb, var(--st-text-color, #222) 7%, transparent); }
dialog {
  color: inherit;
  color: var(--st-text-color, #222);
  background: var(--st-background-color, #fff);
  border: 1px solid color-mix(in srgb, var(--st-text-color, #222) 25%, transparent);
  border-radius: 12px;
  padding: 18px 22px 20px;
  max-width: min(30rem, 90vw);
  font: 14px / 1.5 var(--st-font, system-ui, sans-serif);
}
dialog::backdrop { background: rgb(0 0 0 / 0.35); }
h2 { margin: 0 0 10px; font-size: 16px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 16px; margin: 0 0 14px; }
dt { font-weight: 600; white-space: nowrap; }
dd { margin: 0; }
.shell { display: flex; gap: 6px; }
button:focus-visible { outline: 2px solid var(--st-primary-color, #0b6a8f); outline-offset: 1px; }
`;

/* The sentence of Streamlit's own dialog speaks of the internet, which has no part in this. */
function reword() {
  /** @type {HTMLElement | null} */
  const dialog = document.querySelector('[data-testid="stDialog"], [role="dialog"]');
  /** @type {HTMLElement | null} */
  const text = dialog?.querySelector('[data-testid="stMarkdownContainer"]') ?? dialog;
  if (!text || !/streamlit/i.test(text.textContent) || text.dataset.worded) return;
  const said = [...text.querySelectorAll("p, div, span, pre")].filter((node) => node.children.length === 0);
  for (const [k, node] of said.entries()) node.textContent = k ? "" : OFFLINE;
  if (!said.length) text.textContent = OFFLINE;
  text.dataset.worded = "yes";
}

/* Calls `back` whenever the server is there again after it was not; gives back what stops it. */
function watchConnection(back) {
  const app = document.querySelector('[data-testid="stApp"]');
  if (!app) return () => {};
  const here = () => app.getAttribute("data-test-connection-state") === "CONNECTED";
  let connected = here();
  const words = new MutationObserver(reword);
  const watch = new MutationObserver(() => {
    const now = here();
    if (now === connected) return;
    connected = now;
    if (now) {
      words.disconnect();
      back();
    } else words.observe(document.body, { childList: true, subtree: true });
  });
  watch.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  return () => {
    watch.disconnect();
    words.disconnect();
  };
}

const KEYS = [
  ["j, k", "next face, the face before"],
  ["Tab", "from the controls to the face and to what stands beside it"],
  ["arrow keys", "on a face: from landmark to landmark; in a row of controls: from one to the next"],
  ["Enter", "pin what is pointed at"],
  ["Escape", "let go"],
  ["+, −, 0", "on a face: closer, farther, the whole crop; with Shift the arrow keys move it (wheel and pinch do too)"],
  ["?", "this list"],
];

/* A key that is meant for the page: nobody is typing, and nothing is held with it. */
function meant(event) {
  const at = event.composedPath()[0];
  return (
    !(event.ctrlKey || event.metaKey || event.altKey) && !at.closest?.("input, textarea, select, [contenteditable]")
  );
}

function keySheet() {
  const sheet = document.createElement("dialog");
  sheet.setAttribute("aria-label", "Keys");
  const head = Object.assign(document.createElement("h2"), { textContent: "Keys" });
  const list = document.createElement("dl");
  for (const [key, does] of KEYS) {
    list.append(
      Object.assign(document.createElement("dt"), { textContent: key }),
      Object.assign(document.createElement("dd"), { textContent: does }),
    );
  }
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
  close.addEventListener("click", () => sheet.close());
  sheet.append(head, list, close);
  return sheet;
}

/* j and k press the buttons of the strip; "?" opens the list. */
function watchKeys(sheet) {
  const press = (event) => {
    if (!meant(event)) return;
    const step = { j: "next", k: "previous" }[event.key];
    /** @type {HTMLElement | null} */
    const button = step && document.querySelector(`.st-key-face_${step} button`);
    if (step) button?.click();
    else if (event.key === "?" && !sheet.open) sheet.showModal();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}

/* Streamlit puts the headings of the navigation between a list and its items, where no list may have them: what is no
list should not be called one. */
function plainNavigation() {
  const plain = () => {
    for (const node of document.querySelectorAll(
      '[data-testid="stSidebarNavItems"], [data-testid="stSidebarNavItems"] li',
    )) {
      if (node.getAttribute("role") !== "none") node.setAttribute("role", "none");
    }
  };
  plain();
  const side = document.querySelector('[data-testid="stSidebar"]')?.parentElement ?? document.body;
  const watch = new MutationObserver(plain);
  watch.observe(side, { childList: true, subtree: true });
  return () => watch.disconnect();
}

/* A page that is slow to open stands in the history twice: bare, then with its link. Back would lead to the bare one,
which writes its link again, so that nobody gets past it. */
function oneStep() {
  if (document.documentElement.dataset.wbOneStep) return;
  document.documentElement.dataset.wbOneStep = "yes";
  const push = history.pushState.bind(history);
  history.pushState = (data, title, url) => {
    const next = new URL(url ?? location.href, location.href);
    const written = next.pathname === location.pathname && next.search && !location.search;
    if (written) history.replaceState(data, title, url);
    else push(data, title, url);
  };
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

const places = new WeakMap();

export default function shell({ parentElement, setTriggerValue }) {
  const known = places.get(parentElement);
  if (known) {
    known.woke = setTriggerValue;
    return known.close;
  }
  const place = { woke: setTriggerValue, close: () => {} };
  const style = Object.assign(document.createElement("style"), { textContent: STYLE });
  const button = document.createElement("button");
  button.type = "button";
  const title = "copy the link to what is shown: face, model, and every setting of this page";
  button.title = title;
  button.textContent = "Copy link";
  button.setAttribute("aria-live", "polite");
  let waiting = 0;
  button.addEventListener("click", async () => {
    const done = await copy(location.href);
    button.textContent = done ? "Copied" : "Copy it from the address bar";
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      button.textContent = "Copy link";
    }, 1800);
  });
  const sheet = keySheet();
  const help = document.createElement("button");
  help.type = "button";
  help.title = "keys (?)";
  help.textContent = "?";
  help.setAttribute("aria-label", "Keys");
  help.addEventListener("click", () => sheet.showModal());
  const row = Object.assign(document.createElement("div"), { className: "shell" });
  row.append(button, help, sheet);
  parentElement.append(style, row);
  const stop = watchConnection(() => place.woke("woke", Date.now()));
  const unkey = watchKeys(sheet);
  const unplain = plainNavigation();
  oneStep();
  place.close = () => {
    stop();
    unkey();
    unplain();
    clearTimeout(waiting);
    places.delete(parentElement);
  };
  places.set(parentElement, place);
  return place.close;
}
