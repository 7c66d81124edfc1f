/* The look of the thumbnails. */

export const RELATIONS_STYLE = `
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
