/* One panel a model. */

export const SELF_ATTENTION_STYLE = `
.wb .wb-stage.whole {
  display: block;
}
.wb .wb-stage.whole .wb-side {
  margin-top: 14px;
}
.wb-pair {
  display: grid;
  gap: 12px;
  grid-template-columns: repeat(var(--panels), minmax(0, 1fr));
}
.wb-panel {
  min-width: 0;
}
.wb-panel h3 {
  margin: 0 0 6px;
  padding: 0;
  font-size: 13px;
  font-weight: 600;
  line-height: 1.35;
  color: var(--ink);
}
.wb-panel h3 span {
  display: block;
  font-weight: 400;
  color: var(--soft);
  font-size: 12px;
}
.wb-heading {
  margin: 0;
  color: var(--soft);
  font-size: 12px;
  display: flex;
  gap: 4px 18px;
  flex-wrap: wrap;
}
.wb-heading b {
  color: var(--ink);
  font-weight: 600;
}
.wb-heading i {
  display: inline-block;
  width: 11px;
  height: 11px;
  border-radius: 2px;
  margin-right: 5px;
  vertical-align: -1px;
}
@container (max-width: 560px) {
  .wb-pair {
    grid-template-columns: minmax(0, 1fr);
  }
}
`;
