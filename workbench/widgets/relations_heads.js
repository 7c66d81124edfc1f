/* What each head does: a bar in its picture, as long as landmarks move when it is knocked out. meta.heads:
"KIND STAGE" -> [layer][head, the last one all of them together][pixels of the photograph, percent or -1]. */

import { number } from "./numbers.js";
import { el } from "./page.js";

const valuesOf = (known, { kind, stage }) => known?.[`${kind} ${stage}`] ?? null;
const largestOf = (values) => Math.max(1e-12, ...values.flat().map(([pixels]) => pixels));

/**
 * @param {Record<string, number[][][]> | undefined} known
 * @param {{ kind: string, stage: number }} s
 * @param {number} layer
 * @param {number | null} head null for all heads
 * @returns {{ share: number, words: string } | null} share of the largest of this kind and stage
 */
export function effectOf(known, s, layer, head) {
  const values = valuesOf(known, s);
  const found = values?.[layer]?.at(head ?? -1);
  if (!found) return null;
  const [pixels, percent] = found;
  const eyes = percent < 0 ? "" : ` (${number(percent)} % of the eyes' distance)`;
  return { share: pixels / largestOf(values), words: `landmarks move by ${number(pixels)} px on average${eyes}` };
}

export function effectBar(effect) {
  return effect ? el("i", { style: `--share: ${(100 * effect.share).toFixed(1)}%`, "aria-hidden": "true" }) : null;
}

export function effectWords(known, s) {
  const values = valuesOf(known, s);
  if (!values) return "";
  return (
    "Bars: how far landmarks move on average when the head is knocked out in this stage; the longest " +
    `${number(largestOf(values))} px of the photograph, right: all heads of the layer together.`
  );
}
