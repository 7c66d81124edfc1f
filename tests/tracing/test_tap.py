"""The tap and its recorder: transparent, exact, and blind to other sessions."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from workbench.errors import TraceError, UnknownNameError
from workbench.tracing import NamedTensor, Tap, Trace, record, taps


class Twice(nn.Module):
    """A shared block that runs once a stage, and a tap outside of it that runs once."""

    def __init__(self) -> None:
        super().__init__()
        self.once = Tap("value")
        self.shared = Tap("value", per_stage=True)

    def forward(self, x: torch.Tensor, stages: int = 2) -> torch.Tensor:
        x = self.once(x)
        for _ in range(stages):
            x = self.shared(x + 1)
        return x


def test_without_a_recorder_a_tap_returns_the_very_tensor() -> None:
    x = torch.rand(2, 3)
    assert Tap("value")(x) is x


def test_calls_of_a_shared_module_are_stacked_by_stage() -> None:
    model, x = Twice(), torch.zeros(1, 3)
    with record(model) as trace:
        model(x)
    assert trace["once"].axes == ("batch", "value")
    assert trace["shared"].axes == ("stage", "batch", "value")
    assert trace["shared"].tensor[:, 0, 0].tolist() == [1, 2]


def test_a_shared_module_that_ran_once_keeps_its_stage_axis() -> None:
    model = Twice()
    with record(model) as trace:
        model(torch.zeros(1, 3), stages=1)
    assert trace["shared"].shape == {"stage": 1, "batch": 1, "value": 3}


def test_patterns_choose_taps_and_a_wrong_one_names_what_there_is() -> None:
    model = Twice()
    with record(model, only="sh*") as trace:
        model(torch.zeros(1, 3))
    assert list(trace) == ["shared"]
    with pytest.raises(UnknownNameError, match="once, shared"), record(model, only=["nothing"]):
        pass
    assert list(taps(model)) == ["once", "shared"]


def test_another_model_inside_the_block_is_not_recorded() -> None:
    watched, other = Twice(), Twice()
    with record(watched) as trace:
        other(torch.zeros(1, 3))
    assert len(trace) == 0


def test_what_was_recorded_does_not_change_with_the_model_s_tensors() -> None:
    model, x = Twice(), torch.zeros(1, 3)
    with record(model) as trace:
        model(x)
        x.add_(100)
    assert trace["once"].tensor.max() == 0


def test_an_error_inside_the_block_switches_recording_off() -> None:
    model = Twice()
    with pytest.raises(RuntimeError), record(model):
        raise RuntimeError
    assert not model.once.active


def test_wrong_rank_is_reported_by_the_tap_s_path() -> None:
    model = Twice()
    with pytest.raises(TraceError, match="once"), record(model):
        model(torch.zeros(3))


def test_batch_and_stage_may_not_be_declared() -> None:
    with pytest.raises(TraceError):
        Tap("batch", "value")


def test_concurrent_sessions_on_one_model_never_mix() -> None:
    model, failures = Twice(), []

    def session(number: int) -> None:
        for _ in range(50):
            with record(model) as trace:
                model(torch.full((1, 3), float(number)))
            seen = trace["shared"].tensor[:, 0, 0].tolist()
            if seen != [number + 1, number + 2]:
                failures.append(seen)

    threads = [threading.Thread(target=session, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_named_axes_select_and_average() -> None:
    model = Twice()
    with record(model) as trace:
        model(torch.arange(6.0).reshape(2, 3))
    shared = trace["shared"]
    assert shared.at(stage=-1, batch=1).numpy().tolist() == [5, 6, 7]
    assert shared.mean("value").at(stage=0).numpy().tolist() == [2, 5]
    assert shared.mean("batch", "stage").axes == ("value",)
    with pytest.raises(TraceError, match="out of range"):
        shared.at(stage=2)
    with pytest.raises(TraceError, match="stage, batch, value"):
        shared.mean("head")


def test_a_trace_survives_a_file(tmp_path) -> None:
    model = Twice()
    with record(model) as trace:
        model(torch.rand(1, 3))
    trace.meta = {"model": "twice", "affine": [[1.0, 0.0, 2.5], [0.0, 1.0, -1.0]]}
    loaded = Trace.load(trace.save(tmp_path / "t.safetensors"))
    assert loaded.meta == trace.meta
    assert set(loaded) == set(trace)
    for name, entry in trace.items():
        assert loaded[name].axes == entry.axes
        assert torch.equal(loaded[name].tensor, entry.tensor)


def test_files_that_are_no_traces_are_refused_in_a_sentence(tmp_path) -> None:
    from safetensors.torch import save_file

    garbage, foreign = tmp_path / "g.safetensors", tmp_path / "f.safetensors"
    garbage.write_bytes(b"\x00" * 40)
    save_file({"x": torch.zeros(1)}, str(foreign))
    for path, words in (
        (garbage, "damaged"),
        (foreign, "not a workbench trace"),
        (tmp_path / "no", "no trace file"),
    ):
        with pytest.raises(TraceError, match=words):
            Trace.load(path)
    with pytest.raises(TraceError, match="could not be written"):
        Trace().save(tmp_path / "missing" / "t.safetensors")


def test_a_missing_entry_names_what_there_is() -> None:
    with pytest.raises(TraceError, match="holds nothing"):
        Trace()["relation"]


def test_two_models_are_recorded_side_by_side_and_one_model_twice() -> None:
    a, b, x = Twice(), Twice(), torch.zeros(1, 3)
    with record(a) as first, record(b) as second, record(a, only="once") as again:
        a(x)
        b(x + 1)
    assert set(first) == set(second) == {"once", "shared"}
    assert set(again) == {"once"}
    assert torch.equal(first["once"].tensor, x)
    assert torch.equal(second["once"].tensor, x + 1)
    assert torch.equal(again["once"].tensor, x)


def test_a_trace_is_a_mapping() -> None:
    trace = Trace()
    trace["a"] = NamedTensor(torch.zeros(1, 2), ("batch", "value"))
    assert trace.get("b", 1) == 1
    assert trace.pop("b", 2) == 2
    with pytest.raises(TraceError, match="^The trace holds no 'b'; it holds a.$"):
        del trace["b"]
    del trace["a"]
    assert not trace


def test_entries_that_share_memory_are_saved_and_odd_meta_is_a_sentence(tmp_path) -> None:
    trace, value = Trace(), torch.rand(2, 3)
    trace["a"], trace["b"] = NamedTensor(value, ("batch", "x")), NamedTensor(value[:1], ("batch", "x"))
    back = Trace.load(trace.save(tmp_path / "t.safetensors"))
    assert torch.equal(back["b"].tensor, value[:1])
    trace.meta["when"] = object()
    with pytest.raises(TraceError, match="could not be written"):
        trace.save(tmp_path / "t.safetensors")
