/* One panel a model. */

export const STRUCTURE_STYLE = `
.wb-pair {
  display: grid;
  gap: 14px 22px;
  grid-template-columns: repeat(var(--panels), minmax(0, 1fr));
}
.wb-panel {
  display: grid;
  gap: 8px;
  min-width: 0;
  align-content: start;
}
.wb-panel h2 {
  margin: 0;
  font: 600 13px / 1.3 var(--st-font, var(--jp-ui-font-family, system-ui, sans-serif));
  color: var(--ink);
  padding: 0;
}
.wb .wb-stage.whole {
  display: block;
}
@container (max-width: 700px) {
  .wb-pair {
    grid-template-columns: minmax(0, 1fr);
  }
}
`;
