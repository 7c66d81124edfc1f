/* The look that all widgets share. */

export const PAGE_STYLE = `
.wb {
  --ink: var(--st-text-color, var(--jp-ui-font-color1, light-dark(#1d2126, #e7e9ec)));
  --ground: var(--st-background-color, var(--jp-layout-color0, light-dark(#fff, #14161a)));
  --accent: var(--st-primary-color, var(--jp-brand-color1, #0072b2));
  --soft: color-mix(in srgb, var(--ink) 68%, var(--ground));
  --line: color-mix(in srgb, var(--ink) 16%, var(--ground));
  --raised: color-mix(in srgb, var(--ink) 5%, var(--ground));
  container-type: inline-size;
  position: relative;
  color: var(--ink);
  font: 13px / 1.35 var(--st-font, var(--jp-ui-font-family, system-ui, sans-serif));
  font-variant-numeric: tabular-nums;
  -webkit-font-smoothing: antialiased;
}
.wb *,
.wb *::before {
  box-sizing: border-box;
}
.wb-strip {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 6px 12px;
  padding: 0 0 8px;
}
.wb-stage {
  display: grid;
  grid-template-columns: minmax(0, 1.76fr) minmax(0, 1fr);
  gap: 14px;
  align-items: start;
}
.wb-main,
.wb-side {
  position: relative;
  min-width: 0;
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 8px;
}
.wb-below {
  display: flex;
  align-items: flex-start;
  gap: 12px;
  margin-top: 8px;
}
.wb-foot {
  display: flex;
  gap: 6px;
  margin-left: auto;
}
.wb-caption {
  margin: 4px 0 0;
  flex: 1;
  color: var(--soft);
  font-size: 12px;
  min-height: 1.35em;
}
.wb-caption code {
  font: 11.5px / 1.3 var(--st-code-font, var(--jp-code-font-family, ui-monospace, monospace));
  color: var(--ink);
}
.wb-field {
  display: inline-flex;
  align-items: center;
  gap: 6px;
  color: var(--soft);
  white-space: nowrap;
}
.wb-field output {
  color: var(--ink);
  min-width: 4.4ch;
}
.wb-seg {
  display: inline-flex;
  border: 1px solid var(--line);
  border-radius: 6px;
  overflow: hidden;
}
.wb button {
  font: inherit;
  color: var(--ink);
  background: none;
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 2px 9px;
  min-height: 26px;
  cursor: pointer;
}
.wb select {
  font: inherit;
  color: var(--ink);
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 2px 4px;
  min-height: 26px;
}
.wb-seg button {
  border: 0;
  border-radius: 0;
}
.wb-seg button + button {
  border-left: 1px solid var(--line);
}
.wb button:hover {
  background: var(--raised);
}
.wb button[aria-pressed="true"] {
  background: var(--ink);
  color: var(--ground);
  border-color: var(--ink);
}
.wb button:disabled {
  opacity: 0.4;
  cursor: default;
}
.wb :focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 1px;
}
/* Inside, where a rounded frame would cut it off; on a face two-coloured, so that it shows on any photograph. */
.wb canvas:focus-visible,
.wb-seg button:focus-visible {
  outline-offset: -2px;
}
.wb-seg button[aria-pressed="true"]:focus-visible {
  box-shadow: inset 0 0 0 3.5px var(--ground);
}
.wb-seg button:first-child {
  border-radius: 5px 0 0 5px;
}
.wb-seg button:last-child {
  border-radius: 0 5px 5px 0;
}
.wb-face:has(> canvas:focus-visible)::after {
  content: "";
  position: absolute;
  inset: 0;
  border-radius: inherit;
  pointer-events: none;
  box-shadow:
    inset 0 0 0 3px var(--accent),
    inset 0 0 0 5px #fff;
}
.wb input[type="range"] {
  width: 68px;
  accent-color: var(--ink);
  margin: 0;
  height: 20px;
  cursor: pointer;
}
.wb canvas {
  display: block;
  width: 100%;
  touch-action: pan-y;
}
.wb-face {
  position: relative;
  border-radius: 8px;
  overflow: hidden;
  background: #101114;
}
/* Frames to drag lie over a face as it is; closer, they would lie beside what they hold. */
.wb-face.closer .wb-rect {
  display: none;
}
.wb-tip {
  position: absolute;
  z-index: 5;
  pointer-events: none;
  max-width: 270px;
  padding: 6px 9px;
  border-radius: 6px;
  background: color-mix(in srgb, #101114 94%, transparent);
  color: #f3f4f5;
  font-size: 12px;
  box-shadow: 0 2px 10px rgb(0 0 0 / 0.35);
  opacity: 0;
}
.wb-tip.on {
  opacity: 1;
}
.wb-tip div {
  display: flex;
  gap: 12px;
  justify-content: space-between;
}
.wb-tip b {
  font-weight: 600;
}
.wb-tip i {
  font-style: normal;
  opacity: 0.72;
}
.wb-gap {
  flex: 1;
}
.wb-say {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
}
@container (max-width: 900px) {
  .wb-stage {
    grid-template-columns: minmax(0, 1.4fr) minmax(0, 1fr);
  }
}
@container (max-width: 700px) {
  .wb-stage {
    grid-template-columns: minmax(0, 1fr);
  }
  .wb-strip .wb-field,
  .wb-strip .wb-seg {
    flex-wrap: wrap;
  }
  .wb-gap {
    display: none;
  }
  .wb-strip {
    gap: 6px 10px;
  }
}
`;
