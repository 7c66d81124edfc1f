/* The heading of what lies beside the face. */

export const INSIDE_STYLE = `
.wb-heading {
  margin: 0;
  color: var(--soft);
  font-size: 12px;
  display: flex;
  justify-content: space-between;
  gap: 8px;
  align-items: center;
  min-height: 26px;
}
.wb .wb-heading button {
  min-height: 22px;
  padding: 0 7px;
}
.wb-thumbs-box {
  max-height: 560px;
  overflow-y: auto;
  border-radius: 8px;
}
`;
