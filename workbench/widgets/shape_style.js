/* The plane beside the photograph. */

export const SHAPE_STYLE = `
.wb-shape .wb-stage {
  grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
}
.wb-shape .wb-plane {
  position: relative;
  border: 1px solid var(--line);
  border-radius: 8px;
  overflow: hidden;
  background: var(--raised);
}
.wb-shape .wb-face {
  border: 1px solid transparent;
}
.wb-shape .wb-plane canvas {
  cursor: crosshair;
}
.wb-shape .wb-faces {
  margin-top: 8px;
}
.wb-shape .wb-ask {
  position: absolute;
  left: 12px;
  right: 12px;
  top: 46%;
  text-align: center;
  pointer-events: none;
  color: var(--soft);
  font-size: 15px;
}
.wb-shape .wb-ask b {
  display: block;
  color: var(--ink);
  font-weight: 600;
  margin-bottom: 3px;
}
.wb-shape .wb-state {
  color: var(--soft);
  min-width: 11ch;
  text-align: right;
}
.wb-shape .wb-chosen {
  min-height: 34px;
  padding-bottom: 6px;
  gap: 6px 8px;
}
.wb-shape .wb-chosen.off > :not(.wb-count) {
  display: none;
}
.wb-shape .wb-count {
  color: var(--soft);
  min-width: 12ch;
}
.wb-shape .wb-many {
  display: inline-flex;
  flex-wrap: wrap;
  gap: 4px;
}
.wb-shape [hidden] {
  display: none;
}
.wb-shape select,
.wb-shape input[type="number"] {
  font: inherit;
  color: var(--ink);
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 2px 6px;
  min-height: 26px;
}
.wb-shape select {
  max-width: 14ch;
}
.wb-shape input[type="number"] {
  width: 7ch;
}
.wb-shape input[type="color"] {
  width: 30px;
  height: 26px;
  padding: 1px;
  border: 1px solid var(--line);
  border-radius: 6px;
  background: none;
}
.wb-shape input[type="text"] {
  font: inherit;
  color: var(--ink);
  background: none;
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 2px 8px;
  width: 15ch;
  min-height: 26px;
}
@container (max-width: 700px) {
  .wb-shape .wb-stage {
    grid-template-columns: minmax(0, 1fr);
  }
  .wb-shape .wb-state {
    text-align: left;
  }
  .wb-shape .wb-strip button {
    min-height: 32px;
  }
}
`;
