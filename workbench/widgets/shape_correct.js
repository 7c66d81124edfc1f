/* What a person puts right on the photograph: state "marks", {face, root, at, points: [id, x, y], ...}, in [0, 1] of
the crop, for a model to be taught from. The browser remembers it face by face. */

/**
 * @param {import("./host.js").Host} host
 * @param {any} v what is shown
 * @param {ReturnType<typeof import("./shape_store.js").browserStore> | null} store
 * @param {() => void} refresh
 */
export function correcting(host, v, store, refresh) {
  let at = 0; // when those were made that are shown
  let of = ""; // the face that they belong to
  return {
    mark(marks) {
      v.marks = marks;
      at = Date.now();
      const points = [...marks].map(([id, p]) => [id, ...p.map((x) => Math.round(x * 1e5) / 1e5)]);
      const told = { face: v.meta.teach, root: v.drawing.root ?? 0, at, points };
      store?.keepMarks(told);
      host.set("marks", told);
      refresh();
    },
    readMarks() {
      const face = v.meta.teach;
      const root = v.drawing.root ?? 0;
      let marks = face ? host.get("marks") : null;
      const kept = marks ? store?.marksOf(face) : null;
      if (kept && kept.root === root && kept.at > Math.max(marks.at, at)) {
        marks = kept; // a new session does not know them yet
        setTimeout(() => host.set("marks", kept));
      }
      if (marks && (marks.at > at || marks.face !== of || marks.root !== root)) {
        at = marks.at;
        const own = marks.face === face && marks.root === root;
        v.marks = new Map(own ? marks.points.map(([id, ...p]) => [id, p]) : []);
      }
      of = face;
    },
  };
}
