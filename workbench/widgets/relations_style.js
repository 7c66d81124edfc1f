/* The look of the thumbnails. */

export const RELATIONS_STYLE = `
.wb-pinned {
  font-size: 12.5px;
}
.wb-pinned p {
  margin: 2px 0;
  color: var(--soft);
}
.wb-pinned table {
  border-collapse: collapse;
  width: 100%;
  max-width: 460px;
}
.wb-pinned caption {
  text-align: left;
  font-weight: 600;
  padding: 4px 0;
}
.wb-pinned :is(th, td) {
  text-align: right;
  font-weight: 400;
  padding: 2.5px 0 2.5px 10px;
}
.wb-pinned tr > :first-child {
  text-align: left;
  padding-left: 0;
}
.wb-pinned thead th {
  color: var(--soft);
}
.wb-pinned tbody tr {
  border-top: 1px solid var(--line);
}
.wb-pinned i {
  display: inline-block;
  width: 9px;
  height: 9px;
  border-radius: 50%;
  margin-right: 7px;
}
.wb-thumbs {
  display: grid;
  gap: 3px;
  align-items: center;
  justify-items: stretch;
  color: var(--soft);
  font-size: 11px;
}
.wb-thumbs span {
  text-align: center;
  white-space: nowrap;
}
.wb-thumbs span.row {
  text-align: right;
  padding-right: 4px;
}
.wb-thumbs span.told {
  grid-column: 1 / -1;
  text-align: left;
  white-space: normal;
  padding-top: 3px;
}
.wb-thumbs button {
  position: relative;
}
.wb-thumbs button canvas {
  height: 100%;
}
.wb-thumbs button i {
  position: absolute;
  inset: auto 0 0 0;
  height: 5px;
  background: rgb(0 0 0 / 0.75);
}
.wb-thumbs button i::before {
  content: "";
  position: absolute;
  inset: 1px auto 0 0;
  width: var(--share);
  min-width: 1px;
  background: #fff;
}
.wb .wb-thumbs button {
  padding: 0;
  min-height: 0;
  border: 0;
  border-radius: 3px;
  background: #3a3d45;
  overflow: hidden;
  aspect-ratio: 1;
  width: 100%;
  max-width: 50px;
  justify-self: center;
}
.wb .wb-thumbs button:hover {
  background: #3a3d45;
  box-shadow: 0 0 0 2px var(--soft);
}
.wb .wb-thumbs button[aria-pressed="true"] {
  background: #3a3d45;
  box-shadow:
    0 0 0 2px var(--ground),
    0 0 0 4px var(--accent);
}
.wb .wb-thumbs button:focus-visible {
  outline-offset: 4px;
}
`;
