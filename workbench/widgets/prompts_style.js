/* The headings of what lies beside the face. */

export const PROMPTS_STYLE = `
.wb-heading {
  margin: 6px 0 4px;
  color: var(--soft);
  font-size: 12px;
}
.wb-heading b {
  color: var(--ink);
  font-weight: 600;
}
`;
