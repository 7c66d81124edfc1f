/* What the Occlusion view shows at the moment, and what follows from it. */

import { arraysOf, boardState, centred, exactOf, mapPicture, memory, minus, oneOf, spanOfAll } from "./board_maps.js";
import { colourMap } from "./colours.js";

const WHOLE = { lo: 0, hi: 1, signed: false }; // of a probability

/** @param {import("./host.js").Host} host */
export function occlusionState(host) {
  const base = boardState(host);
  const { meta, maps } = base;
  const kept = memory();
  const sets = Object.fromEntries(
    Object.entries(meta.sets).map(([name, told]) => [
      name,
      {
        ...told,
        arrays: arraysOf(host, name, told.maps),
        recovered: exactOf(host.bytes(`${name}.recovered`)),
      },
    ]),
  );
  const v = {
    ...base,
    maps: { ...maps, bars: colourMap(host.bytes("lut.cividis")) },
    sets,
    ranks: meta.singular?.length ?? 0,
    keys: Object.keys(meta.tensors),
    mode: () => (sets.without ? v.s.mode : "with"),
    set: () => sets[v.mode() === "without" ? "without" : "with"],
    rank: () => {
      const rank = v.spots.spectrum ?? v.s.rank;
      return rank == null || rank >= v.ranks ? null : rank;
    },
    channel: () => v.spots.gate ?? v.s.channel,
    product: () => v.spots.product ?? v.s.product,
    part: (key) => (key === "products" ? v.product() : v.channel()),
    /** A map as it is shown, null for the photograph. */
    picture(key, part = v.part(key), flat = false) {
      if (!meta.sets.with.maps[key]) return null;
      return kept.once(`${key} ${v.mode()} ${part} ${flat}`, () => {
        const both = [sets.with, sets.without ?? sets.with].map((set) => oneOf(set.arrays[key], part));
        const cells = sets.with.arrays[key].shape.slice(-2);
        if (v.mode() === "difference") {
          const change = minus(...both);
          return mapPicture(change, cells, centred(change), maps);
        }
        const span = key === "visible" ? WHOLE : spanOfAll(both);
        const sheer = key === "visible" ? "low" : !flat;
        return mapPicture(both[v.mode() === "without" ? 1 : 0], cells, span, maps, sheer);
      });
    },
    gate() {
      const now = v.set().gate;
      return v.mode() === "difference" ? now.map((g, i) => g - sets.without.gate[i]) : now;
    },
    /** The answer of a rank of M, (N, 2). */
    at: (rank, set = v.set()) =>
      v.face.label.map((_, i) => [0, 1].map((k) => set.recovered[(rank * v.face.count + i) * 2 + k])),
    drawn: () => (v.rank() == null ? v.set().points : v.at(v.rank())),
    /** From where the landmarks moved to where they are drawn; null when they did not. */
    from() {
      if (v.rank() != null) return v.set().points;
      return v.mode() === "difference" ? sets.without.points : null;
    },
    /** How far the landmarks lie from the whole answer at each rank, mean in pixels of the crop. */
    moves: () =>
      kept.once(`moves ${v.mode()}`, () =>
        Array.from({ length: v.ranks + 1 }, (_, rank) => meanMove(v.at(rank), v.at(v.ranks)) * meta.size),
      ),
  };
  return v;
}

export const meanMove = (a, b) =>
  a.reduce((sum, p, i) => sum + Math.hypot(p[0] - b[i][0], p[1] - b[i][1]), 0) / a.length;

/**
 * The facts of the caption (workbench/explain/system_captions.py: OCCLUSION).
 * @param {any} v
 */
export function occlusionFacts(v) {
  const { meta } = v;
  const key = v.s.map;
  const map = v.picture(key);
  const features = key === "before" || key === "after";
  const shape = meta.sets.with.maps[key]?.shape ?? [0, 0];
  const products = meta.sets.with.maps.products?.shape[0] ?? 0;
  const side = Math.round(Math.sqrt(products));
  const product = v.product();
  const f = v.hover ?? v.s.landmark;
  const { occluder } = meta;
  return {
    tensor: (key === "products" ? meta.products : meta.tensors[key]) || null,
    key,
    features,
    channel: features ? v.channel() : null,
    channels: features ? shape[0] : null,
    row: product == null ? null : Math.floor(product / side),
    column: product == null ? null : product % side,
    products,
    rows: shape.at(-2),
    columns: shape.at(-1),
    low: map?.span.lo ?? null,
    high: map?.span.hi ?? null,
    ...scaleFacts(key, occluder ? v.mode() : "plain"),
    mode: occluder ? v.mode() : "plain",
    occluder: occluder?.fill ?? null,
    covered: occluder ? +(100 * occluder.w * occluder.h).toPrecision(2) : null,
    rank: v.rank(),
    ranks: v.ranks,
    landmark: f == null ? null : `${v.face.label[f]} (${f})`,
    widget: true,
  };
}

function scaleFacts(key, mode) {
  if (mode === "difference") return { scale: "change", opaque: "larger" };
  const whole = key === "visible";
  return { scale: whole ? "whole" : mode === "plain" ? "map" : "both", opaque: whole ? "smaller" : "larger" };
}
