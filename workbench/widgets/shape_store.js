/* The browser's own memory of the last drawing, for reloads; where it is forbidden, the session's memory must do. */

const KEY = "workbench.shape";

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
  };
}
