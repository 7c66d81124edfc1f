/* A group of controls as one Tab stop: arrow keys go from one to the next. */

const CONTROLS = "button, input[type=range], select";

/* Where an arrow key leads from place k of n in rows of `columns`; null for a key that leads nowhere. A slider keeps
Left and Right for itself, so from there Up and Down lead on. */
export function roveStep(key, k, n, columns = 0, isSlider = false) {
  if (key === "Home") return 0;
  if (key === "End") return n - 1;
  const down = columns || 1;
  const by = isSlider
    ? { ArrowDown: 1, ArrowUp: -1 }[key]
    : { ArrowRight: 1, ArrowLeft: -1, ArrowDown: down, ArrowUp: -down }[key];
  if (by == null) return null;
  return Math.min(n - 1, Math.max(0, k + by));
}

/**
 * @param {HTMLElement} group whose buttons and sliders, now and later, are one stop
 * @param {() => number} [columns] of a grid; 0 for a row
 * @returns {() => void} what stops watching
 */
export function roving(group, columns = () => 0) {
  /** @type {() => any[]} */
  const all = () =>
    [...group.querySelectorAll(CONTROLS)].filter(
      (/** @type {any} */ node) => !node.disabled && !node.closest("[inert], [hidden]"),
    );
  let here = null;
  function settle() {
    const list = all();
    if (!list.includes(here)) {
      here = list.find((node) => node.getAttribute("aria-pressed") === "true" && columns()) ?? list[0] ?? null;
    }
    for (const node of list) {
      const stop = node === here ? "0" : "-1";
      if (node.getAttribute("tabindex") !== stop) node.setAttribute("tabindex", stop);
    }
  }
  group.addEventListener("focusin", (event) => {
    const node = event.composedPath()[0];
    if (!all().includes(node)) return;
    here = node;
    settle();
  });
  group.addEventListener("keydown", (event) => {
    const list = all();
    const at = list.indexOf(event.composedPath()[0]);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const slider = list[at].matches("input");
    const chooser = list[at].matches("select"); // keeps Up and Down for its own list
    if ((slider || chooser) && (event.key === "Home" || event.key === "End")) return;
    if (chooser && !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const next = roveStep(event.key, at, list.length, columns(), slider);
    if (next == null) return;
    list[next].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  const watch = new MutationObserver(settle);
  watch.observe(group, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "inert"] });
  settle();
  return () => watch.disconnect();
}
