from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.readings import drawn_shape, synthetic_reading
from workbench import explain
from workbench.errors import TraceError, UnknownNameError
from workbench.landmarks import get_scheme
from workbench.models import build, preset
from workbench.tracing import NamedTensor, Tap, Trace, taps
from workbench.widgets import relations_payload

MATRIX = np.array([[0.5, 0.3, 0.2], [0.6, 0.1, 0.3], [0.05, 0.15, 0.8]])


def test_edges_are_the_strongest_keys_without_self() -> None:
    found = explain.edges(MATRIX, top_k=1)
    assert list(zip(found.query, found.key, found.weight, strict=True)) == [
        (1, 0, 0.6),
        (0, 1, 0.3),
        (2, 1, 0.15),
    ]
    assert found.share == pytest.approx(1.05 / 3)
    assert "35%" in found.caption


def test_edges_of_a_key_are_its_queries() -> None:
    found = explain.edges(MATRIX, 1, direction="key")
    assert list(zip(found.query, found.key, found.weight, strict=True)) == [(1, 0, 0.6), (0, 1, 0.3), (1, 2, 0.3)]
    one = explain.edges(MATRIX, None, 0.2, landmark=0, include_self=True, direction="key")
    assert list(zip(one.query, one.key, strict=True)) == [(1, 0), (0, 0)]
    assert "queries on landmark 0" in one.caption
    assert one.share == pytest.approx(1.1 / 1.15)


def test_the_best_partner_of_each_and_who_has_chosen_a_landmark() -> None:
    assert explain.best_edges(MATRIX).weight.tolist() == [0.6, 0.3, 0.15]
    assert explain.best_edges(MATRIX, 0.2).weight.tolist() == [0.6, 0.3]
    assert "weights from 0.2" in explain.best_edges(MATRIX, 0.2).caption
    with pytest.raises(TraceError, match="threshold"):
        explain.edges(MATRIX, threshold=float("nan"))
    one = explain.best_edges(MATRIX, landmark=1)
    assert list(zip(one.query, one.key, strict=True)) == [(1, 0)]
    chosen_by = explain.best_edges(MATRIX, landmark=1, direction="key")
    assert list(zip(chosen_by.query, chosen_by.key, strict=True)) == [(0, 1), (2, 1)]
    assert "arrows to landmark 1 from" in chosen_by.caption


def test_edges_threshold_query_and_self() -> None:
    assert explain.edges(MATRIX, None, 0.3).weight.tolist() == [0.6, 0.3, 0.3]
    one = explain.edges(MATRIX, 5, landmark=-1, include_self=True)
    assert one.query.tolist() == [2, 2, 2]
    assert one.key.tolist() == [2, 1, 0]
    assert one.share == pytest.approx(1)
    assert len(explain.edges(MATRIX, 0)) == 0


def test_ties_are_ordered_by_query_then_key() -> None:
    found = explain.edges(np.full((3, 3), 1 / 3), top_k=2)
    assert found.query.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.key.tolist() == [1, 2, 0, 2, 0, 1]


def test_edges_refuse_what_is_not_a_relation() -> None:
    with pytest.raises(TraceError, match="square"):
        explain.edges(np.ones((2, 3)))
    with pytest.raises(TraceError, match="no landmark 3"):
        explain.edges(MATRIX, landmark=3)


def test_partners_may_be_oneself() -> None:
    found = explain.partners(MATRIX)
    assert found.key.tolist() == [0, 0, 2]
    assert found.weight.tolist() == [0.5, 0.6, 0.8]
    assert "2 of 3 weigh themselves most" in found.caption
    assert explain.partners(MATRIX, exclude_self=True).key.tolist() == [1, 0, 1]


def test_attention_matrix_is_the_recorded_tensor_or_its_plain_mean() -> None:
    reading = synthetic_reading(68)
    recorded = reading.trace["relation.layers.1.cross"].at(stage=2, batch=0).numpy()
    one = explain.attention_matrix(reading, "cross", stage=-1, layer=1, head=3)
    np.testing.assert_array_equal(one.weights, recorded[3])
    assert one.caption == "relation.layers.1.cross · stage 3 of 3 · head 4 of 4"
    mean = explain.attention_matrix(reading, stage=2, layer=-1)
    np.testing.assert_allclose(mean.weights, recorded.mean(0), rtol=1e-5)
    assert mean.caption == "relation.layers.1.cross · stage 3 of 3 · mean of 4 heads"
    everything = explain.attention_matrix(reading, "self", None, None, None)
    np.testing.assert_allclose(everything.weights.sum(1), 1, rtol=1e-5)
    assert everything.caption == "relation.layers.*.self · mean of 3 stages · mean of 2 layers · mean of 4 heads"


def test_attention_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(TraceError, match="holds no attention"):
        explain.attention_matrix(synthetic_reading(attention=False))
    with pytest.raises(TraceError, match="no head 9"):
        explain.attention_matrix(synthetic_reading(), head=9)
    with pytest.raises(UnknownNameError, match="'cross' and 'self'"):
        explain.attention_matrix(synthetic_reading(), "crossed")


def test_rollout_of_one_layer_is_its_cross_attention() -> None:
    reading = synthetic_reading(68, layers=1)
    rolled = explain.rollout(reading)
    np.testing.assert_allclose(rolled.weights, explain.attention_matrix(reading).weights, rtol=1e-5)
    assert "approximation" in rolled.caption


def test_rollout_of_two_layers_by_hand() -> None:
    reading = synthetic_reading(68, layers=2)
    c0 = explain.attention_matrix(reading, "cross", layer=0).weights.astype(float)
    c1 = explain.attention_matrix(reading, "cross", layer=1).weights
    s1 = explain.attention_matrix(reading, "self", layer=1).weights
    expected = ((c0 + s1 @ c0) / 2 + c1) / 2
    np.testing.assert_allclose(explain.rollout(reading).weights, expected, rtol=1e-4)


def test_results_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        explain.partners(MATRIX).caption = "x"  # type: ignore[misc]


class Toy(torch.nn.Module):
    """Two layers of attention with heads, two graphs of which one has layers, and what is no relation."""

    def __init__(self) -> None:
        super().__init__()
        pairs = ("head", "query_landmark", "key_landmark")
        names = {"net.0.self": pairs, "net.1.self": pairs, "graph.end.edges": pairs[1:]}
        names |= {f"graph.mid.{i}.edges": pairs[1:] for i in (0, 1)}
        names |= {"vit.0.self": ("head", "query_token", "key_token"), "points": ("landmark", "xy")}
        for name, axes in names.items():
            self.place(name.split("."), Tap(*axes))

    def place(self, path: list[str], tap: Tap) -> None:
        at: torch.nn.Module = self
        for part in path[:-1]:
            if part not in dict(at.named_children()):
                at.add_module(part, torch.nn.Module())
            at = dict(at.named_children())[part]
        at.add_module(path[-1], tap)


def test_kinds_of_relations_follow_axes_and_paths_that_differ_in_a_number() -> None:
    found = {kind.name: kind for kind in explain.relation_kinds(taps(Toy()))}
    assert set(found) == {"self", "end.edges", "mid.edges"}
    assert found["self"].paths == ("net.0.self", "net.1.self")
    assert (found["self"].title, found["self"].tensor) == ("MSA", "net.{layer}.self")
    assert found["mid.edges"].paths == ("graph.mid.0.edges", "graph.mid.1.edges")
    assert found["end.edges"].tensor == "graph.end.edges"
    assert found["end.edges"].title == "edge weight, end"
    assert [kind.name for kind in explain.relation_kinds(synthetic_reading(layers=1))] == ["cross", "self"]


def test_axes_that_a_system_does_not_have_are_of_length_one() -> None:
    trace, edges = Trace(), torch.rand(1, 5, 5).softmax(-1)
    trace["graph.0.edges"] = NamedTensor(edges, ("batch", "query_landmark", "key_landmark"))
    trace["graph.1.edges"] = NamedTensor(edges / 2, ("batch", "query_landmark", "key_landmark"))
    reading = dataclasses.replace(synthetic_reading("five", attention=False), trace=trace)
    assert reading.attention("edges").shape == (1, 2, 1, 5, 5)
    found = explain.attention_matrix(reading, layer=1)
    np.testing.assert_array_equal(found.weights, edges[0].numpy() / 2)
    assert found.caption == "graph.1.edges"
    assert explain.attention_matrix(reading, layer=None).caption == "graph.*.edges · mean of 2 layers"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("tufa-68-compact", {"self": "MSA"}), ("scc-68-compact", None), ("ssfa-68-compact", {}), ("aodn-68-compact", {})],
)
def test_systems_tell_their_relations_by_axes(name: str, kinds: dict[str, str] | None) -> None:
    count = preset(name).landmarks
    model = build(name, torch.from_numpy(drawn_shape(get_scheme(str(count)))).float())
    found = explain.relation_kinds(taps(model))
    if kinds is None:
        assert found and all(kind.title.startswith("edge weight") for kind in found)
    else:
        assert {kind.name: kind.title for kind in found} == kinds


def test_an_idle_layer_is_named_and_the_next_one_comes_first() -> None:
    plain = synthetic_reading(68)
    trace = Trace()
    for name, entry in plain.trace.items():
        trace[name] = entry
    trace.meta = {"idle": ["relation.layers.0.self"]}
    reading = dataclasses.replace(plain, trace=trace)
    cross, self_ = explain.relation_kinds(reading)
    assert (cross.idle, cross.first, self_.idle, self_.first) == ((), 0, (0,), 1)
    words = "idle by construction"
    assert words in explain.attention_matrix(reading, "self", layer=0).caption
    for kind, layer in (("self", 1), ("cross", 0), ("self", None)):
        assert words not in explain.attention_matrix(reading, kind, layer=layer).caption
    start = relations_payload(reading, {"kind": "self"})["meta"]["state"]["selection"]
    assert start["layer"] == 1
    assert relations_payload(reading, {"kind": "self", "layer": 0})["meta"]["state"]["selection"]["layer"] == 0
    assert relations_payload(reading)["meta"]["state"]["selection"]["layer"] == 0
    assert [k["idle"] for k in relations_payload(reading)["meta"]["kinds"]] == [[], [0], []]  # the rollout is last


def test_edges_that_are_one_over_the_degree_are_called_so() -> None:
    plain, even = synthetic_reading("five", attention=False), torch.eye(5) / 2
    even[torch.arange(5), (torch.arange(5) + 1) % 5] = 0.5
    learned = even.clone()
    learned[0, 0], learned[0, 1] = 0.8, 0.2
    trace = Trace()
    for layer, weights in enumerate((even, learned)):
        trace[f"graph.layers.{layer}.edges"] = NamedTensor(weights[None], ("batch", "query_landmark", "key_landmark"))
    reading = dataclasses.replace(plain, trace=trace)
    assert explain.relation_kinds(reading)[0].even == (0,)
    said = [explain.attention_matrix(reading, layer=layer).caption for layer in (0, 1)]
    assert "1 / degree" in said[0] and "1 / degree" not in said[1]
