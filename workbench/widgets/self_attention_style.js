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
.wb-panel h2 {
  margin: 0 0 6px;
  padding: 0;
  font-size: 13px;
  font-weight: 600;
  line-height: 1.35;
  color: var(--ink);
}
.wb-panel h2 span {
  display: block;
  white-space: nowrap;
  overflow: hidden;
  text-overflow: ellipsis;
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
.wb-leaks {
  border-collapse: collapse;
  font-size: 12px;
  max-width: 860px;
  width: 100%;
}
.wb-leaks :is(th, td) {
  text-align: right;
  font-weight: 400;
  padding: 3px 0 3px 10px;
}
.wb-leaks thead th {
  color: var(--soft);
  vertical-align: bottom;
}
.wb-leaks tr > :first-child {
  text-align: left;
  padding-left: 0;
}
.wb-leaks tbody tr {
  border-top: 1px solid var(--line);
}
.wb-leaks i,
.wb-heading i {
  display: inline-block;
  width: 11px;
  height: 11px;
  border-radius: 2px;
  margin-right: 5px;
  vertical-align: -1px;
}
@container (max-width: 900px) {
  .wb-pair {
    grid-template-columns: repeat(min(2, var(--panels)), minmax(0, 1fr));
  }
}
@container (max-width: 560px) {
  .wb-pair {
    grid-template-columns: minmax(0, 1fr);
  }
}
`;
