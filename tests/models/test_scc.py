"""SCC: counts, the graph, the node maps, and equality with an independent recomputation under the authors' names."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.models import reference_scc as reference
from workbench.errors import CheckpointError, DataError
from workbench.models.graph import (
    GraphConv,
    adjacency_matrix,
    graph_mask,
    nearest_edges,
    read_edges,
)
from workbench.models.layers import Gate
from workbench.models.scc import PRESETS, SCC, SYSTEM, SCCConfig, infer_config, map_evidence, published_name
from workbench.models.systems import PRESETS as PRESET
from workbench.models.systems import SYSTEMS, build
from workbench.models.zoo import (
    count_multiply_accumulates,
    count_parameters,
    load_checkpoint,
    load_model,
    save_checkpoint,
)
from workbench.tracing import record, taps

RING = torch.tensor([(i, (i + step) % 7) for i in range(7) for step in (1, 2)])


def tiny(edges: torch.Tensor | None = None, **changes) -> SCC:
    """The compact network on 7 points and 32-pixel crops."""
    base = replace(PRESETS["scc-68-compact"], scheme="user7", landmarks=7, input_size=32, cells=8, hidden=16, blocks=2)
    torch.manual_seed(3)
    return SCC(replace(base, **changes), torch.rand(7, 2), edges).eval()


def awake(model: SCC) -> SCC:
    """Its output layer, which starts at zero, says something."""
    torch.nn.init.normal_(model.graph.output.weight, std=0.3)
    return model


COUNTED = {"scc-98-sc": (24.68, 5.20), "scc-98-base": (24.22, 4.97), "scc-98-hrnet": (11.43, 4.44)}
"""Millions and G of the authors' own weights."""


@pytest.mark.parametrize("name", COUNTED)
def test_counts_meet_the_authors(name: str) -> None:
    config = PRESETS[name]
    model = SCC(config, torch.rand(config.landmarks, 2))
    millions, giga = COUNTED[name]
    assert count_parameters(model) / 1e6 == pytest.approx(millions, rel=0.01)
    assert count_multiply_accumulates(model) / 1e9 == pytest.approx(giga, rel=0.01)


def test_the_compact_model_fits_into_the_shelf() -> None:
    model = SCC(PRESETS["scc-68-compact"], torch.rand(68, 2))
    assert 2 * count_parameters(model) <= 12_000_000


# The graph


def write(tmp_path, text: str):
    path = tmp_path / "edges.txt"
    path.write_text(text)
    return path


def test_an_edge_file_is_read_line_by_line(tmp_path) -> None:
    edges = read_edges(write(tmp_path, "0 1 0.5\n\n1 2 1\n2 0 1e-3\n"), 3)
    assert edges.tolist() == [[0, 1], [1, 2], [2, 0]]
    path = tmp_path / "windows.txt"
    path.write_bytes("0\t1\t0.5\r\n1; 2; 1\r\n2, 0, 1e-3\r\n".encode("utf-8-sig"))
    assert torch.equal(read_edges(path, 3), edges)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 1\n", "Line 1 of edges.txt must be 'i j weight'"),
        ("0 1 1 1\n", "must be 'i j weight'"),
        ("0 1 1\n0 b 1\n", "Line 2 of edges.txt must be"),
        ("0.0 1 1\n", "must be 'i j weight'"),
        ("0 3 1\n", "numbered 0 to 2"),
        ("-1 0 1\n", "numbered 0 to 2"),
        ("1 1 1\n", "with itself"),
        ("0 1 nan\n", "positive number"),
        ("0 1 0\n", "positive number"),
        ("0 1 1\n0 1 2\n", "repeats the edge 0 1 of line 1"),
        ("\n", "holds no edge"),
    ],
)
def test_a_bad_edge_file_is_refused_in_one_sentence(tmp_path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        read_edges(write(tmp_path, text), 3)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_a_missing_edge_file_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"nothing\.txt cannot be read"):
        read_edges(tmp_path / "nothing.txt", 3)


def test_the_nearest_neighbours_by_hand() -> None:
    line = torch.tensor([[0.0, 0], [0.1, 0], [0.3, 0], [0.7, 0]])
    assert nearest_edges(line, 1).tolist() == [[0, 1], [1, 0], [2, 1], [3, 2]]
    mask = graph_mask(adjacency_matrix(nearest_edges(line, 1), 4))
    assert mask.int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]


@pytest.mark.parametrize("edges", [[[0, 7]], [[-1, 0]], [[2, 2]], [[0, 1, 2]]])
def test_edges_of_another_scheme_are_refused(edges: list[list[int]]) -> None:
    with pytest.raises(DataError):
        tiny(torch.tensor(edges))


def test_a_graph_convolution_by_hand() -> None:
    layer = GraphConv(1, 1, links=3)
    mask = torch.tensor([[True, True], [False, True]])
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[2.0]], [[10.0]]]))
        layer.logits.copy_(torch.tensor([[0.0, math.log(3), 5.0]]))
        layer.bias.fill_(0.5)
        x = torch.tensor([[[1.0], [4.0]]])
        # Row 0 shares 1/4 and 3/4 between itself and node 1; row 1 sees itself alone.
        assert layer.edges(x, mask).flatten().tolist() == pytest.approx([0.25, 0.75, 0, 1])
        assert layer(x, mask)[0, :, 0].tolist() == pytest.approx([0.25 * 2 + 0.75 * 40 + 0.5, 8 + 0.5])


def test_dynamic_edges_begin_static_and_then_follow_the_features() -> None:
    torch.manual_seed(0)
    mask, x = graph_mask(adjacency_matrix(RING, 7)), torch.randn(2, 7, 4)
    layer = GraphConv(4, 3, int(mask.sum()), dynamic_dim=5)
    assert layer.query is not None and layer.key is not None
    edges = layer.edges(x, mask)
    assert torch.allclose(edges, (mask / mask.sum(1, keepdim=True)).expand(2, 7, 7))
    torch.nn.init.normal_(layer.query.weight)
    edges = layer.edges(x, mask)
    scores = torch.einsum("bid,bjd->bij", layer.query(x), layer.key(x)) / math.sqrt(5)
    for b in range(2):
        for i in range(7):
            linked = mask[i].nonzero()[:, 0]
            assert torch.allclose(edges[b, i, linked], scores[b, i, linked].softmax(0), atol=1e-6)
    assert (edges[0] - edges[1]).abs().max() > 0.01
    assert edges[:, ~mask].abs().max() == 0
    layer(x, mask).sum().backward()
    assert layer.query.weight.grad.abs().sum() > 0


def test_a_gate_by_hand() -> None:
    gate = Gate(2, 2, kernel=1)
    with torch.no_grad():
        gate.mlp[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
        gate.mlp[2].weight.copy_(torch.tensor([[1.0], [2.0]]))
        gate.conv.weight.copy_(torch.tensor([1.0, 0.5]).view(1, 2, 1, 1))
        gate.conv.bias.fill_(0.25)
        x = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])  # channel means 2, 1; maxima 3, 2
        channel, spatial = gate(x)
    sigmoid = [1 / (1 + math.exp(-v)) for v in (2, 4)]  # hidden: 1 from the means, 1 from the maxima
    assert channel.flatten().tolist() == pytest.approx(sigmoid)
    assert spatial.flatten().tolist() == pytest.approx([1 / (1 + math.exp(-v)) for v in (1.25, 4.25)])


# Pixels


def test_published_pixels_are_bgr_with_mean_0_and_deviation_1() -> None:
    crops = torch.tensor([[0, 2], [10, 10], [4, 8]], dtype=torch.uint8).view(1, 3, 1, 2)
    model = tiny(pixels="zscore_bgr")
    expected = torch.tensor([[-1.0, 1], [0, 0], [-1, 1]])
    assert torch.allclose(model.prepare(crops).view(3, 2), expected, atol=1e-4)
    assert torch.equal(model.prepare(crops.float() / 255), model.prepare(crops))
    flat = torch.full((1, 3, 64, 64), 10, dtype=torch.uint8)
    assert model.prepare(flat).abs().max() < 0.01


# The network


@pytest.mark.parametrize("mapping", ["structure", "base"])
@pytest.mark.parametrize("located", [True, False])
def test_every_variant_answers_and_learns(mapping: str, located: bool) -> None:
    model = awake(tiny(RING, mapping=mapping, located=located, dynamic=not located, dynamic_dim=4)).train()
    for module in model.modules():
        if isinstance(module, GraphConv) and module.query is not None:
            torch.nn.init.normal_(module.query.weight)
    answer = model(torch.randn(2, 3, 32, 32))
    assert answer.landmarks.shape == (2, 7, 2)
    assert answer.stages is None
    assert (answer.heatmaps is not None) == located
    answer.landmarks.square().mean().backward()
    assert not [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]


def test_a_located_node_starts_at_the_centre_of_its_map() -> None:
    model = tiny()
    answer = model(torch.randn(2, 3, 32, 32))
    assert answer.heatmaps.shape == (2, 7, 8, 8)
    cells = (torch.arange(8.0) + 0.5) * 4
    x = (answer.heatmaps.sum(-2) * cells).sum(-1)
    y = (answer.heatmaps.sum(-1) * cells).sum(-1)
    assert torch.allclose(answer.landmarks, torch.stack([x, y], -1), atol=1e-4)


def test_the_node_map_may_be_finer_or_coarser_than_the_levels() -> None:
    for cells in (4, 8, 16, 32):
        model = tiny(cells=cells, located=False, node_channels=1)
        assert model.node_map(torch.zeros(1, 3, 32, 32)).shape == (1, 7, cells, cells)
        assert model(torch.zeros(1, 3, 32, 32)).landmarks.shape == (1, 7, 2)


@pytest.mark.parametrize("dynamic", [False, True])
def test_traced_equals_untraced_and_the_taps_have_their_axes(dynamic: bool) -> None:
    model, images = awake(tiny(RING, dynamic=dynamic)), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        plain = model(images)
        with record(model) as trace:
            traced = model(images)
    assert (plain.landmarks - traced.landmarks).abs().max() < 1e-5 * 32
    assert set(trace) == set(taps(model))
    assert trace["features"].shape == {"batch": 2, "node": 7, "channel": 64 + 2 + 5 + 32}
    assert trace["maps"].shape == {"batch": 2, "landmark": 7, "y": 8, "x": 8}
    assert trace["nodes.gate3.channel"].shape == {"batch": 2, "channel": 64}
    assert trace["nodes.gate2.spatial"].shape == {"batch": 2, "y": 8, "x": 8}
    layers = [n for n in trace if n.endswith("adjacency")]
    assert len(layers) == 2 * 2 + 2
    for name in layers:
        assert trace[name].shape == {"batch": 2 if dynamic else 1, "query_landmark": 7, "key_landmark": 7}
        assert torch.allclose(trace[name].tensor.sum(-1), torch.ones(1))
    positions = trace["graph.positions"]
    assert positions.shape == {"stage": 3, "batch": 2, "node": 7, "xy": 2}
    assert torch.equal(positions.tensor[-1], traced.landmarks)
    assert (positions.tensor[0] - positions.tensor[-1]).abs().max() > 1e-3


def test_positions_are_read_only_when_asked() -> None:
    model, seen = tiny(RING), []
    mix = model.graph.output.mix
    model.graph.output.mix = lambda *a: seen.append(1) or mix(*a)
    model(torch.randn(1, 3, 32, 32))
    assert len(seen) == 1
    with record(model, "graph.positions"):
        model(torch.randn(1, 3, 32, 32))
    assert len(seen) == 1 + 1 + 3


def test_a_checkpoint_brings_its_graph_along(tmp_path) -> None:
    model = awake(tiny(RING))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, GraphConv):
                module.logits.normal_()
    fresh = SCC(model.config, model.mean_shape).eval()
    assert fresh.mask.sum() != model.mask.sum()
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.mask, model.mask)
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(fresh(images).landmarks, model(images).landmarks)
        path = save_checkpoint(model, tmp_path / "model", half=False)
        assert torch.equal(load_checkpoint(path).eval()(images).landmarks, model(images).landmarks)


# The authors' weights


def top3(landmarks: int = 98) -> torch.Tensor:
    """A graph with as many links as the published one: 186 undirected edges and 98 loops."""
    ring = [(i, (i + 1) % landmarks) for i in range(landmarks)]
    chords = [(i, (i + 5) % landmarks) for i in range(88)]
    return torch.tensor(ring + chords)


@pytest.mark.parametrize(("kind", "count"), [("sc", 373), ("base", 307), ("hrnet", 1919)])
def test_the_authors_names_and_shapes_are_met_strictly(kind: str, count: int) -> None:
    shapes = reference.published_shapes(kind)
    assert len(shapes) == count
    config = infer_config({k: torch.empty(v) for k, v in shapes.items()})
    assert config == replace(PRESETS[f"scc-98-{kind}"], edges=470)
    model = SCC(config, torch.rand(98, 2), top3())
    own = SYSTEM.published.own
    kept = {k: v for k, v in model.state_dict().items() if not k.startswith(own)}
    ours = {published_name(k, config): tuple(v.shape) for k, v in kept.items()}
    assert ours == {k: v for k, v in shapes.items() if not k.startswith(SYSTEM.published.ignored)}


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "edges.txt"
    path.write_text("".join(f"{i} {j} 0.9\n" for i, j in top3().tolist()))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sc", "base", "hrnet"])
def test_published_weights_give_what_the_equations_give(kind: str, graph_file, tmp_path) -> None:
    state = reference.random_state(reference.published_shapes(kind))
    path = tmp_path / f"{kind}.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, path)
    model = load_model(path, system="scc", init_face=256 * torch.rand(98, 2), graph=graph_file, device="cpu")
    crop = torch.randint(0, 256, (1, 3, 256, 256), dtype=torch.uint8)
    images = model.prepare(crop)
    with torch.no_grad():
        answer = model(images).landmarks[0]
        if kind == "hrnet":
            branches = model.backbone.branches(images)
            levels = [torch.cat([reference.resize(x, 8) for x in branches], 1)]
        else:
            levels = reference.resnet34(state, images)
    edges = [row.nonzero()[:, 0].tolist() for row in model.mask]
    expected = reference.run(state, levels, edges)
    assert expected.std() > 0.1
    assert (answer - expected).abs().max() <= 1e-4 * max(1.0, float(expected.abs().max()))
    again = load_checkpoint(save_checkpoint(model, tmp_path / kind, half=False))
    assert all(torch.equal(t, again.state_dict()[k]) for k, t in model.state_dict().items())
    assert torch.equal(again.mask, model.mask)


def on_a_line() -> torch.Tensor:
    """A mean shape (98, 2) whose nearest neighbours make fewer links than the published graph's 470."""
    return torch.linspace(0.1, 0.9, 98)[:, None].expand(98, 2)


def test_an_import_without_the_right_graph_is_refused_in_a_sentence(graph_file, tmp_path) -> None:
    path = tmp_path / "base.pth"
    torch.save(reference.random_state(reference.published_shapes("base")), path)
    shape = 256 * on_a_line()
    with pytest.raises(CheckpointError, match="pass the authors' edge file"):
        load_model(path, system="scc", init_face=shape)
    shorter = write(tmp_path, "".join(graph_file.read_text().splitlines(True)[1:]))
    with pytest.raises(CheckpointError, match="the one given has 468"):
        load_model(path, system="scc", init_face=shape, graph=shorter)
    other = build(replace(PRESET["dslpt-98-lite"], layers=1), shape / 256)
    names = {SYSTEMS["dslpt"].published.name(k, other.config): v for k, v in other.state_dict().items()}
    torch.save({k: v for k, v in names.items() if k != "mean_shape"}, path)
    with pytest.raises(CheckpointError, match="no landmark graph"):
        load_model(path, system="dslpt", init_face=shape, graph=graph_file)


def test_weights_of_another_graph_are_refused() -> None:
    config = SCCConfig(edges=470, mapping="base")
    with pytest.raises(CheckpointError, match="470 links"):
        SCC(config, torch.rand(98, 2), top3()[:-1])
    model = SCC(config, on_a_line())
    assert not model.adjacency.any()
    with pytest.raises(CheckpointError, match="edge file"):
        model.load_state_dict({}, strict=False)
    with pytest.raises(CheckpointError, match="edge file"):
        model(torch.zeros(1, 3, 256, 256))
    with pytest.raises(CheckpointError, match="not SCC weights"):
        infer_config({"head.weight": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="three levels"):
        SCC(SCCConfig(backbone="hrnet_w18"), torch.rand(98, 2))


def test_a_map_tells_how_far_it_spreads_how_high_it_peaks_and_where_it_lies() -> None:
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, 1, 2] = 1.0  # one cell
    maps[0, 1, 2] = 0.25  # a row
    centre = torch.tensor([[[0.625, 0.375], [0.5, 0.625]]])
    mean = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    found = map_evidence(maps, centre, mean)
    still = 0.5 * math.log(0.05)
    assert torch.allclose(found[0, 0], torch.tensor([still, still, math.log(1.0001) / 2, 1.25, -1.25]), atol=1e-5)
    wide = 0.5 * math.log(1.25 + 0.05)  # the variance of 0, 1, 2, 3
    assert torch.allclose(found[0, 1], torch.tensor([wide, still, math.log(0.2501) / 2, 0.0, 1.25]), atol=1e-5)
