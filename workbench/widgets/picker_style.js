/* The photograph with its boxes. */

import { RECT_STYLE } from "./rect.js";

export const PICKER_STYLE = `${RECT_STYLE}
.wb-pick .wb-stage {
  grid-template-columns: minmax(0, 1fr);
}
.wb-pick .wb-face {
  position: relative;
}
.wb-pick .wb-note {
  color: var(--ink);
}
.wb-pick .wb-ask {
  position: absolute;
  left: 50%;
  top: 12px;
  transform: translateX(-50%);
  width: max-content;
  max-width: calc(100% - 24px);
  padding: 6px 12px;
  border-radius: 6px;
  background: rgb(16 17 20 / 0.88);
  color: #f3f4f5;
  text-align: center;
  pointer-events: none;
}
.wb-pick .drawing canvas {
  touch-action: none;
  cursor: crosshair;
}
`;
