/* The browser's own memory of the last drawing and of what was undone, for reloads, page switches and restarts; where
it is forbidden, the session's memory must do. */

const KEY = "workbench.shape";
const PAST = `${KEY}.past`;
const MARKS = `${KEY}.marks`;
const FACES = 50; // with corrections, that are remembered

export function browserStore() {
  const attempt = (f) => {
    try {
      return f();
    } catch {
      return null;
    }
  };
  const ownTab = () => {
    const id = sessionStorage.getItem(KEY) || Math.random().toString(36).slice(2);
    sessionStorage.setItem(KEY, id);
    return id;
  };
  return {
    tab: attempt(ownTab) || "",
    kept: attempt(() => JSON.parse(localStorage.getItem(KEY))),
    keep: (d) => attempt(() => localStorage.setItem(KEY, JSON.stringify(d))),
    /* What led to the drawing of that moment and what was undone from there; null when it is not known. */
    pastOf(at) {
      const kept = attempt(() => JSON.parse(sessionStorage.getItem(PAST)));
      return at && kept?.at === at && Array.isArray(kept.past) ? kept : null;
    },
    /* What was corrected on a face, by its key, and keeping it; the oldest faces are let go of. */
    marksOf: (face) => attempt(() => JSON.parse(localStorage.getItem(MARKS))?.[face]) ?? null,
    keepMarks: (marks) =>
      attempt(() => {
        const others = Object.values(JSON.parse(localStorage.getItem(MARKS)) ?? {}).filter(
          (m) => m.face !== marks.face,
        );
        const kept = [...others, marks].sort((a, b) => b.at - a.at).slice(0, FACES);
        localStorage.setItem(MARKS, JSON.stringify(Object.fromEntries(kept.map((m) => [m.face, m]))));
      }),
    /* The memory is bounded, the history is not: where it is full, the oldest steps are let go of there. */
    keepPast(at, { past, future }) {
      for (let from = 0; ; from = from ? Math.ceil((from + past.length) / 2) : Math.ceil(past.length / 2)) {
        const some = past.slice(from);
        const done = attempt(() => {
          sessionStorage.setItem(PAST, JSON.stringify({ at, past: some, future }));
          return true;
        });
        if (done || !some.length) return;
      }
    },
  };
}
