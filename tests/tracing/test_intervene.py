"""Interventions: edits change what is used, are recorded as used, and stay in their own context."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from workbench.errors import TraceError, UnknownNameError
from workbench.tracing import Tap, Trace, edits, intervene, record
from workbench.tracing.trace import NamedTensor


class Mixer(nn.Module):
    """One attention of two heads over three landmarks, run twice: out = mean over heads of A x."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Tap("head", "query_landmark", "key_landmark", per_stage=True)
        self.gate = Tap("landmark")
        self.seen = Tap("landmark", observer=True)

    def forward(self, weights: torch.Tensor, x: torch.Tensor, stages: int = 1) -> torch.Tensor:
        """(B, 2, 3, 3), (B, 3) -> (B, 3)."""
        x = self.gate(x)
        for _ in range(stages):
            x = (self.attention(weights) @ x[:, None, :, None])[..., 0].mean(1)
        self.seen(x)
        return x


A = torch.tensor(
    [[[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]], [[0.2, 0.2, 0.6], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2]]]
)
X = torch.tensor([[1.0, 2.0, 4.0]])


def ran(
    changes: dict, weights: torch.Tensor = A[None], x: torch.Tensor = X, stages: int = 1
) -> tuple[torch.Tensor, Trace]:
    model = Mixer()
    with intervene(model, changes), record(model) as trace:
        out = model(weights, x, stages)
    return out, trace


def hand(weights: torch.Tensor, x: torch.Tensor = X) -> torch.Tensor:
    return torch.einsum("hqk,bk->bq", weights, x) / 2


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (edits.Identity(), A),
        (edits.Zero(), torch.zeros_like(A)),
        (edits.Scale(0.5), A / 2),
        (edits.Keep("head", (1,)), torch.stack([torch.zeros(3, 3), A[1]])),
        (edits.Drop("head", (-1,)), torch.stack([A[0], torch.zeros(3, 3)])),
        (edits.Drop("query_landmark", (0, 2)), A * torch.tensor([0.0, 1.0, 0.0])[:, None]),
        (edits.Keep("key_landmark", (1,)), A * torch.tensor([0.0, 1.0, 0.0])),
        (edits.DropEdges(((0, 2),)), A * torch.tensor([[1.0, 1, 0], [1, 1, 1], [1, 1, 1]])),
        (edits.DropEdges(((0, 2), (1, 1)), keep=True), A * torch.tensor([[0.0, 0, 1], [0, 1, 0], [0, 0, 0]])),
        # Keys that a query cannot attend to stay at zero.
        (
            edits.Uniform(),
            torch.stack([torch.tensor([[1 / 3] * 3, [0, 0.5, 0.5], [1.0, 0, 0]]), torch.full((3, 3), 1 / 3)]),
        ),
    ],
)
def test_edits_by_hand(edit, expected) -> None:
    out, trace = ran({"attention": edit})
    torch.testing.assert_close(out, hand(expected))
    torch.testing.assert_close(trace["attention"].tensor[0, 0], expected)
    assert trace.meta["edits"] == {"attention": [edit.caption]}
    assert edit.caption and edit.caption[0].islower()


def test_a_scrambled_batch_gives_every_face_another_s() -> None:
    x = torch.arange(15.0).view(5, 3)
    out, trace = ran({"gate": edits.Scramble(seed=3)}, A.expand(5, -1, -1, -1), x)
    got = trace["gate"].tensor
    assert sorted(got[:, 0].tolist()) == x[:, 0].tolist()
    assert not (got == x).all(1).any()
    torch.testing.assert_close(out, hand(A, got))
    _, again = ran({"gate": edits.Scramble(seed=3)}, A.expand(5, -1, -1, -1), x)
    assert torch.equal(again["gate"].tensor, got)
    with pytest.raises(TraceError, match="nothing to scramble"):
        ran({"gate": edits.Scramble()})


def test_another_reading_s_value_and_the_mean_of_a_set() -> None:
    model, faces = Mixer(), torch.tensor([[1.0, 0, 0], [3.0, 2.0, 0]])
    with record(model) as donors:
        model(A.expand(2, -1, -1, -1), faces)
    with record(model) as donor:
        model(A[None], faces[1:])
    assert ran({"gate": edits.Replace(donor)})[1]["gate"].tensor.tolist() == [[3, 2, 0]]
    assert ran({"gate": edits.Mean(donors)})[1]["gate"].tensor.tolist() == [[2, 1, 0]]
    assert "uncovered" in edits.freeze(donor).caption
    with pytest.raises(TraceError, match="holds gate with the shape"):
        ran({"gate": edits.Replace(donors)})  # two faces for one
    with pytest.raises(TraceError, match="holds no 'gate'"):
        ran({"gate": edits.Replace(Trace())})
    wrong = Trace()
    wrong["gate"] = NamedTensor(torch.zeros(1, 7), ("batch", "landmark"))
    with pytest.raises(TraceError, match="is needed"):
        ran({"gate": edits.Replace(wrong)})


def test_one_stage_alone_and_a_trace_of_stages() -> None:
    out, trace = ran({"attention": edits.OnStage(edits.Zero(), 1)}, stages=2)
    assert not out.any()
    assert torch.equal(trace["attention"].tensor[0, 0], A)
    model = Mixer()
    with record(model) as donor:
        model(A[None] * 2, X, 2)
    _, patched = ran({"attention": edits.Replace(donor)}, stages=2)
    assert torch.equal(patched["attention"].tensor, donor["attention"].tensor)
    with pytest.raises(TraceError, match="stage 3 cannot"):
        ran({"attention": edits.Replace(donor)}, stages=3)


def test_blocks_nest_outer_first_and_patterns_apply_in_order() -> None:
    model = Mixer()
    plus = lambda value, site: value.tensor + 1  # noqa: E731
    with intervene(model, {"ga*": plus}), record(model) as trace, intervene(model, {"gate": [edits.Scale(2.0)]}):
        model(A[None], X)
    assert trace["gate"].tensor.tolist() == [[4, 6, 10]]
    assert trace.meta["edits"] == {"gate": ["<lambda>", "times 2"]}
    _, both = ran({"gate": [plus, edits.Scale(2.0)]})
    assert both["gate"].tensor.tolist() == [[4, 6, 10]]


def test_what_cannot_be_edited_is_a_sentence() -> None:
    model = Mixer()
    with pytest.raises(UnknownNameError, match="attention, gate, seen"), intervene(model, {"nothing": edits.Zero()}):
        pass
    with pytest.raises(TraceError, match="seen only shows something"), intervene(model, {"seen": edits.Zero()}):
        pass
    for bad in (lambda v, s: v.tensor[:, :1], lambda v, s: None):
        with pytest.raises(TraceError, match="must give back the shape"):
            ran({"gate": bad})
    with pytest.raises(TraceError, match="no axis 'head'"):
        ran({"gate": edits.Drop("head", (0,))})
    with pytest.raises(TraceError, match="no entry 9"):
        ran({"gate": edits.Drop("landmark", (9,))})
    with pytest.raises(TraceError, match="no edge 0 to 5"):
        ran({"attention": edits.DropEdges(((0, 5),))})
    with pytest.raises(TraceError, match="no edges"):
        ran({"gate": edits.DropEdges(((0, 0),))})
    with pytest.raises(TraceError, match="no keys"):
        ran({"gate": edits.Uniform()})


def test_gradients_pass_through_an_edit() -> None:
    model, x = Mixer(), X.clone().requires_grad_()
    with intervene(model, {"gate": edits.Scale(3.0), "attention": edits.Keep("head", (0,))}):
        model(A[None], x).sum().backward()
    torch.testing.assert_close(x.grad, 3 * A[0].sum(0)[None] / 2)


def test_an_edit_ends_with_its_block_and_other_models_and_threads_never_see_it() -> None:
    model, other = Mixer(), Mixer()
    plain, seen = model(A[None], X), []
    with intervene(model, {"gate": edits.Zero()}):
        assert not model(A[None], X).any()
        assert torch.equal(other(A[None], X), plain)
        thread = threading.Thread(target=lambda: seen.append(model(A[None], X)))
        thread.start()
        thread.join()
    assert torch.equal(seen[0], plain)
    assert torch.equal(model(A[None], X), plain)
    with pytest.raises(RuntimeError), intervene(model, {"gate": edits.Zero()}):
        raise RuntimeError
    assert torch.equal(model(A[None], X), plain)


def test_concurrent_edits_on_one_model_never_mix() -> None:
    model, failures = Mixer(), []

    def session(number: int) -> None:
        for _ in range(40):
            with intervene(model, {"gate": edits.Scale(float(number))}), record(model) as trace:
                out = model(A[None], X)
            if not torch.allclose(out, hand(A, number * X)) or len(trace.meta["edits"]["gate"]) != 1:
                failures.append(number)

    threads = [threading.Thread(target=session, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_passes_of_unequal_size_are_joined_face_by_face() -> None:
    model, x = Mixer(), torch.arange(15.0).view(5, 3)
    with record(model) as trace:
        model(A.expand(3, -1, -1, -1), x[:3], 2)
        model(A.expand(2, -1, -1, -1), x[3:], 2)
    assert trace["attention"].shape == {"stage": 2, "batch": 5, "head": 2, "query_landmark": 3, "key_landmark": 3}
    assert torch.equal(trace["gate"].tensor, x)

    def uneven() -> None:
        with record(model):
            model(A[None], X, 1)
            model(A[None], X, 2)

    with pytest.raises(TraceError, match="different shapes"):
        uneven()


def test_what_is_the_same_for_every_face_stays_one_entry() -> None:
    model = Mixer()
    with record(model, only="gate") as trace:
        model(A.expand(3, -1, -1, -1), X)
        model(A.expand(2, -1, -1, -1), X)
    assert trace["gate"].shape == {"batch": 1, "landmark": 3}
