/* One small interface between a widget and the page that holds it.

A widget is a module whose default export `mount(host)` builds its DOM under `host.root` and returns a cleanup
function; bundle.py joins it with all that it imports. `host` is

  host.root          Element or ShadowRoot to build in
  host.kind          "streamlit" | "jupyter" | "file"
  host.meta          the payload's JSON part (read it afresh after a "payload" event)
  host.bytes(name)   Uint8Array, one of the payload's blobs (a fresh, aligned copy); null when there is none
  host.get(key)      the state value under `key` (Python's initial one is in meta.state)
  host.set(key, v)   remember v and commit it to Python. Call it on click, pointerup or Enter, never on hover.
  host.watch(f)      f("payload") when Python sent other data, f("state") when Python changed the state from its
                     side; returns a function that stops watching

Payload on the wire (payload.py: pack): "WBW1", uint32 little-endian header length, header JSON
{meta, blobs: {name: [offset, length]}, digest, rev}, padding to 8 bytes, the blobs each on a multiple of 8.
State is taken over from Python only when `rev` changes, data only when `digest` does. */

const WB_MAGIC = "WBW1";

/* bytes (Uint8Array | DataView | ArrayBuffer) -> {meta, digest, rev, blob(name)}; throws on anything else. */
export function unpack(bytes) {
  const u8 =
    bytes instanceof Uint8Array
      ? bytes
      : ArrayBuffer.isView(bytes)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes);
  if (u8.length < 8 || String.fromCharCode(...u8.subarray(0, 4)) !== WB_MAGIC) {
    throw new Error("This is no widget payload.");
  }
  const length = new DataView(u8.buffer, u8.byteOffset + 4, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(u8.subarray(8, 8 + length)));
  const start = Math.ceil((8 + length) / 8) * 8;
  return {
    meta: header.meta,
    digest: header.digest,
    rev: header.rev,
    blob: (name) => {
      const place = header.blobs[name];
      return place ? u8.slice(start + place[0], start + place[0] + place[1]) : null;
    },
  };
}

/**
 * @typedef {object} Host
 * @property {any} root
 * @property {string} kind
 * @property {any} meta
 * @property {(name: string) => Uint8Array | null} bytes
 * @property {(key: string) => any} get
 * @property {(key: string, value: any) => void} set
 * @property {(f: (what: string) => void) => () => void} watch
 */

/* The part that all hosts share: state, blobs, watchers. `commit(key, value, state)` reaches Python. */
function makeHost(kind, root, packed, commit) {
  let parcel = unpack(packed);
  let state = { ...(parcel.meta.state || {}) };
  const watchers = new Set();
  const tell = (what) => [...watchers].forEach((f) => f(what));
  const host = {
    kind,
    root,
    get meta() {
      return parcel.meta;
    },
    bytes: (name) => parcel.blob(name),
    get: (key) => state[key],
    set(key, value) {
      state = { ...state, [key]: value };
      place.commit(key, value, state);
    },
    watch(f) {
      watchers.add(f);
      return () => watchers.delete(f);
    },
  };
  const place = {
    host,
    commit,
    receive(bytes) {
      const next = unpack(bytes);
      const fresh = next.digest !== parcel.digest;
      const moved = next.rev !== parcel.rev;
      if (!fresh && !moved) return;
      parcel = next;
      if (moved) state = { ...state, ...(next.meta.state || {}) };
      tell(fresh ? "payload" : "state");
    },
    adopt(values) {
      state = { ...state, ...values };
      tell("state");
    },
  };
  return place;
}

const WB_PLACES = new WeakMap();

/* Streamlit components v2 calls this on every rerun with the same parentElement. */
export function streamlitHost({ parentElement, data, setStateValue }, mount, kind = "streamlit") {
  let place = WB_PLACES.get(parentElement);
  if (place) {
    place.commit = (key, value) => setStateValue(key, value);
    place.receive(data);
  } else {
    place = makeHost(kind, parentElement, data, (key, value) => setStateValue(key, value));
    WB_PLACES.set(parentElement, place);
    place.cleanup = mount(place.host);
  }
  return () => {
    WB_PLACES.delete(parentElement);
    if (place.cleanup) place.cleanup();
  };
}

/* anywidget calls render({model, el}) once a view; the model has the traits `packed` (bytes) and `state`. */
function jupyterHost({ model, el }, mount) {
  let own = false;
  const place = makeHost("jupyter", el, model.get("packed"), (_key, _value, state) => {
    own = true;
    model.set("state", state);
    model.save_changes();
    own = false;
  });
  place.adopt(model.get("state") || {});
  const onPacked = () => place.receive(model.get("packed"));
  const onState = () => {
    if (!own) place.adopt(model.get("state") || {});
  };
  model.on("change:packed", onPacked);
  model.on("change:state", onState);
  const cleanup = mount(place.host);
  return () => {
    model.off("change:packed", onPacked);
    model.off("change:state", onState);
    if (cleanup) cleanup();
  };
}

/* The module's default export: a Streamlit component, or what anywidget wants when called without arguments. */
export function entry(mount) {
  return (component) =>
    component?.parentElement ? streamlitHost(component, mount) : { render: (context) => jupyterHost(context, mount) };
}

/* A file on disk: the payload as base64 text, nobody to commit to. */
export function standaloneHost(root, base64, mount) {
  const text = atob(base64);
  const data = Uint8Array.from(text, (c) => c.charCodeAt(0));
  return streamlitHost({ parentElement: root, data, setStateValue() {} }, mount, "file");
}
