/* Keys, bars and tables. */

import { RECT_STYLE } from "./rect.js";

export const UNCERTAINTY_STYLE = `${RECT_STYLE}
.wb .wb-play {
  min-width: 36px;
}
.wb-time input[type="range"] {
  width: 128px !important;
}
.wb-time output {
  min-width: 13ch;
}
.wb-patches {
  margin-top: 14px;
}
.wb-keys {
  display: flex;
  flex-wrap: wrap;
  gap: 3px 14px;
  font-size: 12px;
  color: var(--soft);
  min-height: 18px;
}
.wb-keys span {
  display: inline-flex;
  align-items: center;
  gap: 6px;
  white-space: nowrap;
}
.wb-keys i {
  width: 10px;
  height: 10px;
  border-radius: 2px;
}
.wb-keys svg {
  background: #33363d;
  border-radius: 3px;
}
.wb-head {
  display: flex;
  flex-wrap: wrap;
  gap: 6px 14px;
  align-items: center;
  color: var(--soft);
}
.wb-table {
  width: 100%;
  border-collapse: collapse;
  font-size: 12px;
}
.wb-table caption {
  text-align: left;
  padding: 0 0 3px;
  color: var(--ink);
  font-weight: 600;
}
.wb-table caption small {
  font-weight: 400;
  color: var(--soft);
  font-size: 12px;
}
.wb-table th {
  font-weight: 400;
  color: var(--soft);
  text-align: right;
  vertical-align: bottom;
  padding: 1px 0 1px 6px;
}
.wb-table td {
  text-align: right;
  padding: 1px 0 1px 6px;
}
.wb-table tr > :first-child {
  text-align: left;
  padding-left: 0;
}
.wb-table tbody tr {
  border-top: 1px solid var(--line);
}
.wb-table b {
  font-weight: 650;
}
.wb-keys b {
  font-weight: 600;
  color: var(--ink);
}
.wb-detail {
  min-height: 118px;
  color: var(--soft);
  font-size: 12px;
}
.wb-detail td {
  color: var(--ink);
}
.wb-effect {
  transition: opacity 0.15s;
}
.wb-effect.waiting {
  opacity: 0.55;
}
.wb-effect:empty {
  display: none;
}
@container (max-width: 700px) {
  .wb-detail {
    min-height: 0;
  }
}
@container (min-width: 700.1px) and (max-width: 860px) {
  .wb-table td svg {
    display: none;
  }
}
.wb-table td svg {
  width: 20px;
  vertical-align: -2px;
  margin-right: 4px;
  background: #33363d;
  border-radius: 3px;
}
`;
