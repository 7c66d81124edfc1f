"""One module, three hosts: what is packed comes out in the browser, and state goes both ways."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import UnknownNameError
from workbench.figures import style
from workbench.landmarks import get_scheme
from workbench.widgets.bundle import NAMES, module_source
from workbench.widgets.jupyter_host import jupyter
from workbench.widgets.payload import Payload, face_meta, half, pack
from workbench.widgets.standalone import standalone_html

SMALL: Payload = {
    "meta": {"title": "Ünder", "state": {"selection": {"landmark": 3}}},
    "blobs": {"a": b"\x01\x02\x03", "b": b"\x09"},
}
BYTES = "const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_packed_payload_comes_out_in_the_browser(tmp_path):
    got = run(
        tmp_path,
        "structure",
        BYTES
        + """
        const whole = bytes(input.data), shifted = new Uint8Array(whole.length + 3);
        shifted.set(whole, 3);                       // as a view into a longer buffer
        const p = unpack(shifted.subarray(3));
        return [p.meta, [...p.blob("a")], [...p.blob("b")], p.blob("c"), p.rev];
        """,
        data=text(pack(SMALL, rev=7)),
    )
    assert got == [SMALL["meta"] | {"drawing": style.drawing()}, [1, 2, 3], [9], None, 7]


def test_blobs_start_on_multiples_of_eight():
    data = pack(SMALL)
    length = int.from_bytes(data[4:8], "little")
    start = -(-(8 + length) // 8) * 8
    assert data[start : start + 3] == b"\x01\x02\x03"
    assert data[start + 8 : start + 9] == b"\x09"


def test_no_payload_is_refused(tmp_path):
    got = run(tmp_path, "structure", "try { unpack(new Uint8Array(20)); } catch (e) { return e.message; }")
    assert got == "This is no widget payload."


def test_payload_without_json_form_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        pack({"meta": {"value": float("nan")}, "blobs": {}})


def test_streamlit_state_is_taken_over_only_with_a_new_revision(tmp_path):
    changed = {**SMALL, "meta": {**SMALL["meta"], "state": {"selection": {"landmark": 8}}}}
    other = {**changed, "blobs": {"a": b"\x05"}}
    got = run(
        tmp_path,
        "structure",
        BYTES
        + """
        const told = [], sent = [], root = {};
        let host;
        const mountIt = (h) => {
          host = h;
          h.watch((what) => told.push([what, h.get("selection").landmark]));
          return () => told.push("gone");
        };
        const setStateValue = (key, value) => sent.push([key, value.landmark]);
        const call = (data) => streamlitHost({ parentElement: root, data: bytes(data), setStateValue }, mountIt);
        call(input.first);
        const start = host.get("selection").landmark;
        host.set("selection", { landmark: 5 });
        call(input.first);           // a rerun with the same data: nothing happens
        call(input.sameRev);         // other state, same revision: the browser keeps its own
        const kept = host.get("selection").landmark;
        call(input.newRev);
        const end = call(input.other);
        end();
        return { start, kept, told, sent };
        """,
        first=text(pack(SMALL, 1)),
        sameRev=text(pack(changed, 1)),
        newRev=text(pack(changed, 2)),
        other=text(pack(other, 2)),
    )  # fmt: skip
    assert got == {"start": 3, "kept": 5, "told": [["state", 8], ["payload", 8], "gone"], "sent": [["selection", 5]]}


def test_module_serves_both_hosts(tmp_path):
    got = run(
        tmp_path,
        "relations",
        BYTES
        + """
        const told = [], saved = [], listeners = {};
        const widget = entry((host) => {
          const now = () => host.get("selection").landmark;
          told.push(now());
          host.watch((what) => told.push([what, now()]));
          host.set("selection", { landmark: 6 });
          return () => told.push("gone");
        });
        const values = { packed: new DataView(bytes(input.data).buffer), state: { selection: { landmark: 4 } } };
        const model = {
          get: (key) => values[key],
          set(key, value) { values[key] = value; listeners[`change:${key}`]?.(); },
          save_changes: () => saved.push(values.state.selection.landmark),
          on: (name, f) => { listeners[name] = f; },
          off: (name) => { delete listeners[name]; },
        };
        const end = widget().render({ model, el: {} });
        model.set("state", { selection: { landmark: 1 } });
        end();
        return [told, saved, Object.keys(listeners)];
        """,
        data=text(pack(SMALL)),
    )  # fmt: skip
    assert got == [[4, ["state", 1], "gone"], [6], []]


@pytest.mark.parametrize("name", NAMES)
def test_every_module_is_one_text_with_one_default_export(name):
    source = module_source(name)
    assert len(re.findall(r"^export ", source, flags=re.M)) == 1
    assert source.rstrip().endswith("export default entry(mount);")
    assert not re.search(r"^import |https?://(?!www\.w3\.org)", source, flags=re.M)


def test_unknown_widget_is_named():
    with pytest.raises(UnknownNameError, match="'relation'"):
        module_source("relation")


def test_half_floats_are_read_exactly(tmp_path):
    values = [0.0, 1.0, -2.5, 6e-8, 6.1e-5, 0.333251953125, 65504.0, float(np.float16(1 / 68))]
    got = run(tmp_path, "structure", BYTES + "return [...decodeHalf(bytes(input.data))];", data=text(half(values)))
    assert got == np.array(values, np.float16).astype(float).tolist()


def test_nearest_and_neighbouring_points(tmp_path):
    got = run(
        tmp_path,
        "structure",
        """
        const p = [[0, 0], [1, 0.1], [3, 0], [1, 5]];
        return { near: nearestPoint(p, [0.9, 0]), far: nearestPoint(p, [9, 9], 1),
          right: stepPoint(p, 0, "ArrowRight"), down: stepPoint(p, 1, "ArrowDown"),
          edge: stepPoint(p, 2, "ArrowRight"), none: stepPoint(p, null, "ArrowUp"),
          px: fitFace(300, 200, 10).px([0, 1]), unit: fitFace(300, 200).unit([150, 100]) };
        """,
    )  # fmt: skip
    assert got == {"near": 1, "far": -1, "right": 1, "down": 3, "edge": 2, "none": 0,
                   "px": [60, 190], "unit": [0.5, 0.5]}  # fmt: skip


def test_ticks_numbers_and_csv(tmp_path):
    got = run(
        tmp_path,
        "structure",
        """return [ticks(0, 0.264, 4), ticks(-1, 1, 2), [0, 0.014705, 1 / 3, 12.3456, 3.21e-5].map(number),
          csv([["a", "b, c"], [1, 'x"y']])];""",
    )
    assert got[0] == pytest.approx([0, 0.1, 0.2])
    assert got[1:] == [[-1, 0, 1], ["0", "0.0147", "0.333", "12.35", "3.2e-5"], 'a,"b, c"\r\n1,"x""y"\r\n']


def test_face_meta_orders_landmarks_by_part():
    meta = face_meta(get_scheme("68"))
    assert sorted(meta["order"]) == list(range(68))
    assert [b["part"] for b in meta["brackets"]] == ["jaw", "brows", "eyes", "nose", "outer_lip", "inner_lip"]
    assert [b["stop"] - b["start"] for b in meta["brackets"]] == [17, 10, 12, 9, 12, 8]
    for bracket in meta["brackets"]:
        places = range(bracket["start"], bracket["stop"])
        assert {meta["part"][meta["order"][at]] for at in places} == {bracket["part"]}
    assert meta["colour"][36] != meta["colour"][45]


def test_standalone_file_needs_nothing_else():
    page = standalone_html("structure", SMALL, title="A < B")
    assert "<title>A &lt; B</title>" in page
    assert page.count("</script>") == 1
    assert not re.search(r"(src|href)=\"[^$#]|https?://(?!www\.w3\.org)", page)
    data = re.search(r'"widget"\), "([A-Za-z0-9+/=]+)"', page)
    assert data
    assert base64.b64decode(data.group(1)) == pack(SMALL)


def test_notebook_widget_holds_the_same_bytes():
    widget = jupyter("structure", SMALL)
    assert widget.packed == pack(SMALL)
    assert widget.state == {"selection": {"landmark": 3}}
    assert str(widget._esm) == module_source("structure")


def _page() -> None:
    import streamlit as st

    from workbench.widgets import mount

    wanted = st.session_state.get("wanted", {"landmark": 3})
    payload: Payload = {"meta": {"state": {"selection": wanted}}, "blobs": {"a": b"\x01"}}
    st.json(mount("structure", payload, key="it"))


def test_streamlit_page_sends_state_only_when_python_changes_it():
    at = AppTest.from_function(_page).run()
    assert not at.exception

    def sent() -> bytes:
        return next(e.proto.bytes for e in at.main if getattr(e, "type", "") == "bidi_component")

    first = sent()
    at.session_state["it"] = {"selection": {"landmark": 5}}
    at.run()
    assert sent() == first, "a state that comes from the browser is not sent back"
    assert '"landmark":5' in at.json[0].value.replace(" ", "")
    at.session_state["wanted"] = {"landmark": 5}
    at.run()
    assert sent() == first, "Python following the browser is no news either"
    at.session_state["wanted"] = {"landmark": 9}
    at.run()
    assert b'"landmark":9' in sent()
    assert b'"rev":1' in sent()


def test_payloads_of_a_reading_pack():
    from workbench.widgets import relations_payload, structure_payload

    reading = synthetic_reading(68)
    assert len(pack(relations_payload(reading))) < 2_000_000
    assert len(pack(structure_payload([reading, synthetic_reading(98)]))) < 200_000
