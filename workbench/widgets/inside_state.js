/* What the Inside view shows at the moment, and what follows from it. Values lie in one flat array of shape (stage,
head, ...), see explain/inside.py: Stack. */

import { colourMap } from "./colours.js";
import {
  blockOf,
  cellUnder,
  centred,
  everyBlock,
  gridImage,
  linesOf,
  rangeOf,
  scaledHalf,
  spanOf,
  together,
} from "./heatmap.js";

const GRIDS = ["grid", "channels", "landmarks", "landmark_to_map", "patches"];
const LINES = ["landmark_pairs"];
const JOINED = { channels: "abs", landmarks: "max" }; // how many maps become one; a mean for the rest
const KEPT = 1200;
export const PAGE = 100; // channels that are shown at once

/**
 * Of one payload; a new payload takes a new one.
 * @param {import("./host.js").Host} host
 */
export function insideState(host) {
  const { meta } = host;
  const t = meta.tensor;
  const values = t ? scaledHalf(host.bytes("values"), t.unit) : null;
  const maps = { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.diverging")) };
  const shape = t?.shape ?? [];
  const kind = t?.kind ?? "";
  const [stages, heads, count, ...size] = shape;
  const s = { ...host.get("selection") };
  const { signed } = meta;
  const ranged = signed ? centred : spanOf;
  const joined = signed && kind === "landmarks" ? "far" : (JOINED[kind] ?? "mean");
  const kept = new Map();
  const once = (key, make) => {
    if (!kept.has(key)) {
      if (kept.size > KEPT) kept.clear();
      kept.set(key, make());
    }
    return kept.get(key);
  };
  const v = {
    meta,
    t,
    face: meta.face,
    maps,
    cividis: colourMap(host.bytes("lut.cividis")),
    kind,
    shape,
    count,
    s,
    once,
    onGrid: GRIDS.includes(kind),
    onLines: LINES.includes(kind),
    ofChannels: kind === "channels",
    hasThumbs: GRIDS.includes(kind) && kind !== "grid",
    /** @type {ImageBitmap | null} */
    image: null,
    /** @type {{ landmark?: number, item?: number } | null} what is pointed at */
    hover: null,
    /** @type {number[] | null} the place on the face that is pointed at */
    place: null,
    /** @type {any} the bar or the cell beside the face that is pointed at */
    spot: null,
    from: Math.floor((s.channel ?? 0) / PAGE) * PAGE,
    points: [],
    /** Drawn on the photograph, below everything else. */
    under: (_ctx, _view) => {},
    step: () => Math.min(v.s.step ?? Infinity, meta.steps.length - 1),
    stage: () => Math.min(v.s.stage ?? Infinity, stages - 1),
    head: () => (v.s.head == null || heads === 1 || v.s.head >= heads ? null : v.s.head),
    block: () => once(`block ${v.stage()} ${v.head()}`, () => blockOf(values, shape, v.stage(), v.head())),
    /* The channel or landmark in focus; null for all of them together. */
    item() {
      if (v.ofChannels) return v.hover?.item ?? (v.s.channel != null && v.s.channel < count ? v.s.channel : null);
      const i = v.hover?.item ?? v.hover?.landmark ?? v.s.landmark;
      return i != null && (v.onLines || t?.items) && i < count ? i : null;
    },
    mapOf(i) {
      const cells = size[0] * size[1];
      if (kind === "grid") return v.block();
      if (i != null) return v.block().subarray(i * cells, (i + 1) * cells);
      return once(`joined ${v.stage()} ${v.head()}`, () => together(v.block(), count, joined));
    },
    spanFor(i) {
      if (v.s.scale === "all" && meta.reach) return spanOf(meta.reach);
      if (v.s.scale === "all") {
        return once(`all ${v.head() == null}`, () => ranged(everyBlock(values, shape, v.head())));
      }
      const reach = v.s.scale === "range" && !signed ? rangeOf : ranged;
      return once(`span ${v.s.scale} ${v.stage()} ${v.head()} ${i}`, () => reach(v.mapOf(i)));
    },
    pictureOf(i, sheer = false) {
      return once(`map ${v.stage()} ${v.head()} ${i} ${v.s.scale} ${sheer}`, () =>
        gridImage(v.mapOf(i), size[0], size[1], v.spanFor(i), maps, sheer),
      );
    },
    linesNow: () => linesOf(v.block(), count, v.item(), v.s.topk),
    lineTop() {
      if (v.s.scale === "all" && meta.reach) return Math.max(...meta.reach) || 1;
      return once(`top ${v.s.scale} ${v.stage()} ${v.head()}`, () => {
        let top = 0;
        const weights = v.s.scale === "all" ? values : v.block();
        weights.forEach((w, k) => {
          if (Math.abs(w) > top && Math.floor(k / count) % count !== k % count) top = Math.abs(w);
        });
        return top || 1;
      });
    },
    /** @returns {{ lo: number, hi: number, signed: boolean } | null} of what is shown; null where there is no scale */
    span() {
      if (v.onGrid) return kind === "patches" && v.item() == null ? null : v.spanFor(v.item());
      if (v.onLines) return { lo: signed ? -v.lineTop() : 0, hi: v.lineTop(), signed: Boolean(signed) };
      if (kind !== "table") return null;
      return once(`table ${v.stage()} ${v.head()} ${v.s.scale}`, () =>
        ranged(v.s.scale === "all" ? values : v.block()),
      );
    },
    rectOf: (i) => (kind === "patches" ? (t.rects?.[v.stage()]?.[i] ?? null) : [0, 0, 1, 1]),
    /** The cell under the pointer, and its value. */
    cellHere() {
      const i = v.item();
      const rect = v.place && v.onGrid && (kind !== "patches" || i != null) ? v.rectOf(i) : null;
      const cell = rect && cellUnder(v.place, size[0], size[1], rect);
      return cell ? { cell, rect, value: v.mapOf(i)[cell[0] * size[1] + cell[1]] } : null;
    },
    recorded: () =>
      once(`points ${v.stage()}`, () =>
        Array.from({ length: count }, (_, k) => [v.block()[2 * k], v.block()[2 * k + 1]]),
      ),
    axis: (k) => t.axes.at(k) ?? "value",
    name: (i) => `${meta.face.label[i] ?? "point"} · ${i}`,
  };
  v.points = meta.steps[v.step()].points;
  return v;
}

/**
 * The facts of the caption (workbench/explain/caption_tables.py: INSIDE).
 * @param {any} meta
 * @param {any} s the selection
 * @param {{ stage: number, head: number | null, item: number | null, step: number, below?: boolean,
 *   span: { lo: number, hi: number } | null }} now below: whether values lie below the scale
 */
export function insideFacts(meta, s, now) {
  const t = meta.tensor;
  const [stages, heads, count, rows, columns] = t?.shape ?? [];
  const isMap = t?.shape.length === 5;
  const isLandmark = now.item != null && (t?.items === "landmark" || LINES.includes(t?.kind));
  return {
    tensor: t?.name ?? null,
    points: meta.face.count,
    trajectory: meta.steps.length > 1 ? meta.steps[now.step].text : null,
    words: t?.words ?? null,
    stage: stages > 1 ? now.stage + 1 : null,
    stages: stages ?? null,
    head: now.head == null ? null : now.head + 1,
    heads: heads > 1 ? heads : null,
    done: t?.done ?? "",
    kind: t?.kind ?? null,
    channel: t?.kind === "channels" ? now.item : null,
    count: count ?? null,
    landmark: isLandmark ? `${meta.face.label[now.item] ?? "point"} (${now.item})` : null,
    topk: s.topk,
    rows: isMap ? rows : null,
    columns: isMap ? columns : null,
    low: now.span?.lo ?? null,
    high: now.span?.hi ?? null,
    scale: s.scale === "range" && !isMap ? "map" : s.scale,
    below: Boolean(now.below),
    widget: true,
  };
}

/** The facts of what a state shows. */
export function factsNow(v) {
  const span = v.span();
  const item = v.t ? v.item() : null;
  const shown = () => (v.onGrid ? v.mapOf(item) : v.block());
  return insideFacts(v.meta, v.s, {
    step: v.step(),
    stage: v.t ? v.stage() : 0,
    head: v.t ? v.head() : null,
    item,
    span,
    below: span != null && !v.onLines && shown().some((x) => x < span.lo),
  });
}
