/* What the Attribution view is made of: the maps that are here, and the one that is shown. */

import { colourMap } from "./colours.js";
import { scaledHalf, spanOf } from "./heatmap.js";

/* Where the colours end for scale "most": `share` of the absolute values do not pass it. */
export function spanMost(values, share) {
  const { signed, ...span } = spanOf(values);
  const ordered = Float32Array.from(values, Math.abs).sort();
  const top = ordered[Math.floor(share * (ordered.length - 1))];
  return top > 0 ? { lo: signed ? -top : 0, hi: top, signed } : { ...span, signed };
}

/* The value of each pixel's part. */
export function spread(regions, values) {
  return Float32Array.from(regions, (k) => values[k]);
}

/** @param {import("./host.js").Host} host */
export function attributionState(host) {
  const { meta } = host;
  const { maps, face } = meta;
  const count = maps?.names.length;
  const parts = maps && scaledHalf(host.bytes("parts"), maps.partUnit);
  const regions = maps && host.bytes("regions");
  const values = maps && !maps.byPart ? scaledHalf(host.bytes("values"), maps.unit) : null;
  const v = {
    meta,
    face,
    maps,
    points: meta.points,
    regions,
    colours: { plain: colourMap(host.bytes("lut.inferno")), signed: colourMap(host.bytes("lut.diverging")) },
    image: null,
    hover: null,
    cell: null,
    s: { ...host.get("selection") },
    shown: null,
  };
  const made = new Map();

  /* The landmark whose map is here, or null. */
  v.index = () => {
    const i = maps && v.s.landmark != null ? maps.landmarks.indexOf(v.s.landmark) : -1;
    return i < 0 ? null : i;
  };
  v.scale = () => v.s.scale ?? maps?.scale;
  v.partsOf = (i) => parts.subarray(i * count, (i + 1) * count);
  v.now = () => {
    const i = v.index();
    if (i == null) return null;
    const key = `${i} ${v.scale()}`;
    if (!made.has(key)) {
      const [h, w] = maps.shape;
      const map = values ? values.subarray(i * h * w, (i + 1) * h * w) : spread(regions, v.partsOf(i));
      const span = v.scale() === "most" ? spanMost(map, maps.most) : spanOf(map);
      if (made.size > 8) made.clear();
      made.set(key, { map, span, h, w, parts: v.partsOf(i), key });
    }
    return made.get(key);
  };
  v.facts = () => {
    const { lo, hi } = v.now().span;
    return { ...maps.facts, ...maps.each[v.index()], lo, hi, most: v.scale() === "most" };
  };
  v.name = (i) => `${face.label[i]} (${i})`;
  return v;
}
