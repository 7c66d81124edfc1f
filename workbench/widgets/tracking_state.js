/* What the Tracking view shows at the moment, and what follows from it. */

/** Seconds a frame where a film tells none. */
const PACE = 0.08;

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

/** @param {import("./host.js").Host} host */
export function trackingState(host) {
  const { meta } = host;
  const count = meta.lengths.length;
  const starts = [0];
  for (const length of meta.lengths) starts.push(starts[starts.length - 1] + length);
  const packed = host.bytes("frames");
  const points = meta.faces.map((_, k) => floats(host.bytes(`points.${k}`)));
  const axes = meta.faces.map((_, k) => floats(host.bytes(`axes.${k}`)));
  const v = {
    meta,
    count,
    s: { ...host.get("selection") },
    /** @type {number | null} the frame that the pointer is over */
    hover: null,
    /** @type {number | null} the frame that plays */
    playing: null,
    frame: () => v.playing ?? v.hover ?? v.s.frame,
    jpeg: (k) => packed.slice(starts[k], starts[k + 1]),
    /** Landmarks of a face in a frame, in pixels of the film; null where it was not found. */
    points(face, k) {
      const n = meta.face.count;
      const at = k * n * 2;
      if (Number.isNaN(points[face][at])) return null;
      return Array.from({ length: n }, (_, i) => [points[face][at + 2 * i], points[face][at + 2 * i + 1]]);
    },
    /** The three directions of its head, null where there is no pose. */
    axes(face, k) {
      const at = 9 * k;
      if (Number.isNaN(axes[face][at])) return null;
      return [0, 3, 6].map((row) => [...axes[face].slice(at + row, at + row + 3)]);
    },
    /** Seconds that a frame stays. */
    lasts(k) {
      const { times } = meta;
      if (!times || count < 2) return PACE;
      return Math.max(0.01, k + 1 < count ? times[k + 1] - times[k] : times[k] - times[k - 1]);
    },
  };
  return v;
}

/**
 * The facts of the caption (workbench/explain/system_captions.py: TRACKING).
 * @param {any} v
 */
export function trackingFacts(v) {
  const { meta, s } = v;
  const k = v.frame();
  const one = meta.faces[s.face];
  const [yaw, pitch, roll] = one.angles.map((values) => values[k]);
  const counted = (state) => one.states.filter((now) => now === state).length;
  return {
    frame: k,
    frames: v.count,
    cut: meta.cut,
    time: meta.times ? meta.times[k] : null,
    file: meta.files ? meta.files[k] : null,
    face: s.face + 1,
    faces: meta.faces.length,
    state: one.states[k],
    read: one.regions[k] != null,
    confidence: one.confidence[k] ?? 0,
    threshold: meta.threshold,
    yaw,
    pitch,
    roll,
    jitter: one.jitter[k],
    tracked: counted("tracked"),
    detected: counted("detected"),
    lost: counted("lost"),
    shown: meta.shown,
    wide: meta.size[0],
  };
}

/** One row a face and frame, for CSV; landmarks in pixels of the film. */
export function trackingRows(v) {
  const { meta } = v;
  const head = ["face", "frame", ...(meta.times ? ["time"] : []), ...(meta.files ? ["file"] : [])];
  const landmarks = meta.face.label.flatMap((_, i) => [`x${i}`, `y${i}`]);
  const rows = [[...head, "state", "searched", "confidence", ...meta.names, "jitter", ...landmarks]];
  meta.faces.forEach((one, face) => {
    one.states.forEach((state, k) => {
      if (state === "away") return;
      const found = v.points(face, k);
      rows.push([
        face + 1,
        k,
        ...(meta.times ? [meta.times[k]] : []),
        ...(meta.files ? [meta.files[k]] : []),
        state,
        String(meta.searched[k]),
        one.confidence[k] ?? 0,
        ...one.angles.map((values) => values[k] ?? ""),
        one.jitter[k] ?? "",
        ...(found ? found.flat().map((x) => Math.round(100 * x) / 100) : landmarks.map(() => "")),
      ]);
    });
  });
  return rows;
}
