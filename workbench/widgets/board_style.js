/* The row, the headings of the charts, and what is said below the face. */

import { RECT_STYLE } from "./rect.js";

export const BOARD_STYLE = `${RECT_STYLE}
.wb-band {
  margin: 2px 0 14px;
}
.wb-heading {
  margin: 2px 0 -2px;
  color: var(--ink);
  font-size: 12px;
  font-weight: 600;
}
.wb-said {
  color: var(--soft);
  font-size: 12.5px;
  display: grid;
  gap: 4px;
}
.wb-said b {
  color: var(--ink);
  font-weight: 600;
}
.wb-said p {
  margin: 0;
}
.wb-said.waiting {
  opacity: 0.55;
}
`;
