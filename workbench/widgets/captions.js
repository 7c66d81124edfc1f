/* The words under a picture, from the table of clauses in meta.caption and a view's facts. The rule is that of
workbench/explain/captions.py. */

import { number } from "./numbers.js";
import { el } from "./page.js";

/**
 * @typedef {string | number | boolean | null} Fact
 * @typedef {{ text: string, when: Record<string, Fact | { not: Fact }>, code: boolean }} Clause
 * @typedef {[text: string, isCode: boolean]} Piece
 */

/**
 * The clauses that are shown, filled.
 * @param {Clause[]} clauses
 * @param {Record<string, Fact>} facts
 * @returns {Piece[]}
 */
export function composeCaption(clauses, facts) {
  const fact = (name) => {
    if (!(name in facts)) throw new Error(`A caption needs the fact '${name}'.`);
    return facts[name];
  };
  const matches = (value, wanted) =>
    wanted !== null && typeof wanted === "object" ? value !== wanted.not : value === wanted;
  const said = (value) => (typeof value === "string" ? value : number(value ?? NaN));
  return clauses
    .filter(({ when }) => Object.entries(when).every(([name, wanted]) => matches(fact(name), wanted)))
    .map(({ text, code }) => [text.replace(/\{(\w+)\}/g, (_, name) => said(fact(name))), code]);
}

/** @param {Piece[]} pieces */
export const captionText = (pieces) => pieces.map(([text]) => text).join(" · ");

/** @param {Piece[]} pieces */
export const captionNodes = (pieces) =>
  pieces.flatMap(([text, code], k) => [...(k ? [" · "] : []), el(code ? "code" : "span", {}, text)]);
