/* The weights of a pinned landmark as a table, for those who cannot hover; and a word where nothing is drawn. */

import { number } from "./numbers.js";
import { el } from "./page.js";
import { partners } from "./relations_weights.js";

const MOST = 12;

/** The rows of the table: the pinned landmark's strongest partners that are drawn, and how many more there are. */
export function pinnedRows(v) {
  const { landmark, direction, topk, threshold, own } = v.s;
  if (landmark == null) return { rows: [], more: 0 };
  const all = partners(v.weights(), v.n, landmark, { direction, topk, threshold, own });
  const rows = all.slice(0, MOST).map((e) => ({ other: direction === "query" ? e.k : e.q, w: e.w }));
  return { rows, more: all.length - rows.length };
}

/** Why no line is drawn; "" where there are lines. */
export function blankWords(v, name) {
  if (v.edges().length) return "";
  const f = v.focus();
  const whose = f == null ? "of this map" : `of ${name(f)}`;
  return `No weight ${whose} reaches ${number(v.s.threshold)}: lower “from” to see lines.`;
}

export function pinnedNodes(v, name) {
  const blank = blankWords(v, name);
  const hint = blank ? [el("p", { role: "status" }, blank)] : [];
  const { rows, more } = pinnedRows(v);
  if (!rows.length) return hint;
  const query = v.s.direction === "query";
  const head = ["weight", ...(v.meta.signed ? [] : ["against uniform"])].map((t) => el("th", { scope: "col" }, t));
  const line = ({ other, w }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("i", { style: `background: ${v.face.colour[other]}` }), name(other)),
      el("td", {}, number(w)),
      v.meta.signed ? null : el("td", {}, `${number(w * v.n)} ×`),
    );
  return [
    ...hint,
    el(
      "table",
      {},
      el("caption", {}, `${name(v.s.landmark)}, pinned: ${query ? "what it listens to" : "who listens to it"}`),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, query ? "key" : "query"), ...head)),
      el("tbody", {}, ...rows.map(line)),
    ),
    ...(more ? [el("p", {}, `${more} more in the CSV.`)] : []),
  ];
}
