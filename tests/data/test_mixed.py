"""Faces of several conventions side by side: columns, crops, anchors, mirroring."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.data.augment import AugmentConfig, augment_batch, eval_batch
from workbench.data.mixed import (
    DENSE,
    SOURCES,
    Source,
    anchor_weights,
    draw_anchors,
    frames,
    held_out,
    load_mixed,
    make_layout,
    open_mixed,
)
from workbench.data.readers import open_dataset
from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import get_scheme
from workbench.landmarks.schemes import to_five

CONVENTIONS = ("ibug68", "wflw98", "cofw29", "five", DENSE)


def write_mixture(root, train: int = 6, test: int = 3):
    """Drawn faces under the folders of the mixture: 68 points with made-up pseudo-labels, 29 and five points."""
    folder = write_synthetic(root / "w300_68", train=train, test=test)
    faces = open_dataset(folder)
    files = np.array([s.name for s in faces])
    points = faces.points()
    rng = np.random.default_rng(0)
    pick98, pick478, pick29 = (rng.integers(0, 68, n) for n in (98, 478, 29))
    np.savez(folder / "pseudo98_pfld.npz", files=files, points=points[:, pick98])
    dense = np.concatenate([points[:, pick478], np.zeros((len(files), 478, 1))], -1).astype(np.float16)
    ok = np.ones(len(files), bool)
    ok[1] = False
    np.savez(folder / "dense_mediapipe.npz", files=files, points=dense, ok=ok)
    pairs = list(range(477, -1, -1))
    (root / "flip_pairs.json").write_text(json.dumps({"mediapipe478": pairs}))
    for name, values in (("helen29", points[:, pick29]), ("mtfl5", to_five(points, "ibug68"))):
        other = root / name
        shutil.copytree(folder / "crops", other / "crops")
        header = ",".join(["file", "subset", *(f"{a}{i}" for i in range(values.shape[1]) for a in "xy")])
        lines = [
            f"{s.name},{s.subset}," + ",".join(f"{v:.3f}" for v in p.ravel())
            for s, p in zip(faces, values, strict=True)
        ]
        (other / "annotations.csv").write_text("\n".join([header, *lines]) + "\n")
        np.savez(other / "pseudo98_pfld.npz", files=files, points=points[:, pick98])
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_mixture(tmp_path_factory.mktemp("mixed"))


def test_columns_and_their_mirror(root) -> None:
    layout = make_layout(CONVENTIONS, root)
    assert layout.total == 68 + 98 + 29 + 5 + 478
    assert layout.columns["cofw29"] == slice(166, 195)
    flip = layout.scheme.flip
    assert flip[0] == 16 and flip[68] == 68 + 32 and flip[195:200] == (196, 195, 197, 199, 198)
    assert flip[200] == 200 + 477


def test_mesh_needs_its_flip_pairs(tmp_path) -> None:
    with pytest.raises(DataError, match=r"flip_pairs\.json"):
        make_layout((DENSE,), tmp_path / "data")
    (tmp_path / "flip_pairs.json").write_text(json.dumps({"mediapipe478": [0, 0]}))
    with pytest.raises(DataError, match="permutation"):
        make_layout((DENSE,), tmp_path)
    with pytest.raises(UnknownNameError):
        make_layout(("nonsense",))


def test_faces_carry_what_they_have(root) -> None:
    layout = make_layout(CONVENTIONS, root)
    faces = open_mixed(SOURCES["w300_68"], root / "w300_68", layout, "train")
    known = np.isfinite(faces.points()).all(-1)
    assert known[:, :166].all() and not known[:, 166:200].any()
    assert known[0, 200:].all() and not known[1, 200:].any()
    five = open_mixed(SOURCES["mtfl5"], root / "mtfl5", layout, "train")
    assert np.isfinite(five.points()).all(-1).sum(1).tolist() == [5] * 6
    with pytest.raises(DataError, match="none of the conventions"):
        open_mixed(SOURCES["mtfl5"], root / "mtfl5", make_layout(("wflw98",)), "train")


def test_mixture_of_three_sets(root) -> None:
    layout = make_layout(CONVENTIONS, root)
    mixed = load_mixed(root, ("w300_68", "helen29", "mtfl5"), layout, 64, progress=False)
    assert mixed.parts == ((0, 6, 6), (6, 6, 6), (12, 6, 6)) and len(mixed) == 18 and mixed.size == 64
    image, points, valid, frame, weights = mixed[7]
    assert image.shape == (3, 64, 64) and points.shape == (678, 2) and frame.shape == (3,)
    assert valid[166:195].all() and not valid[:68].any()
    assert float(weights[166:195].sum()) == pytest.approx(0.7) and float(weights.sum()) == pytest.approx(1)
    with pytest.raises(IndexError):
        mixed[18]
    shapes = mixed.mean_shapes()
    assert {name: len(shape) for name, shape in shapes.items()} == dict(zip(CONVENTIONS, layout.counts, strict=True))
    # 68 points in their own crops: the box's longer side is 1 / 1.2 in each, so in the mean nearly so.
    assert np.ptp(shapes["ibug68"], axis=0).max() == pytest.approx(1 / 1.2, abs=0.05)
    # The same faces by five points land within a few hundredths of where 68 points put them.
    assert np.abs(shapes["five"] - to_five(shapes["ibug68"], "ibug68")).max() < 0.08


def test_a_part_is_drawn_anew_and_held_faces_stay_out(root, monkeypatch) -> None:
    layout = make_layout(("cofw29", "five"))
    monkeypatch.setitem(SOURCES, "mtfl5", Source("mtfl5", (("five", None, 1.0),), 2.02, 0.14, draw=2))
    monkeypatch.setitem(SOURCES, "helen29", Source("helen29", (("cofw29", None, 1.0),), 1.1, hold=3))
    mixed = load_mixed(root, ("helen29", "mtfl5"), layout, 32, progress=False)
    assert mixed.parts == ((0, 4, 4), (4, 6, 2))
    torch.manual_seed(0)
    seen = {float(mixed[4][1][-1, 0]) for _ in range(40)}
    assert len(seen) == 6
    kept = held_out(SOURCES["helen29"], open_mixed(SOURCES["helen29"], root / "helen29", layout, "train"))
    assert len(kept) == 2 and not {s.name for s in kept} & set(mixed.packed.files[:4])


def test_frames_by_hand() -> None:
    """Five points: box 4 wide and 6 high around (2, 3); the mouth lies below the eyes."""
    points = torch.tensor([[[0.0, 0.0], [4.0, 0.0], [2.0, 3.0], [1.0, 6.0], [3.0, 6.0]]])
    valid = torch.ones(1, 5, dtype=torch.bool)
    assert frames(points, valid, 2.0, 0.5)[0].tolist() == pytest.approx([2, 3 + 0.5 * 6, 12])
    assert frames(points, valid, 1.1, 0.0)[0].tolist() == pytest.approx([2, 3, 6.6])
    turned = points.flip(-1)  # the mouth now lies to the right
    assert frames(turned, valid, 2.0, 0.5)[0].tolist() == pytest.approx([6, 2, 12])


def test_frame_replaces_the_points_box() -> None:
    image = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)
    points, valid = torch.tensor([[[10.0, 10.0], [14.0, 14.0]]]), torch.ones(1, 2, dtype=torch.bool)
    square = (torch.tensor([[20.0, 20.0]]), torch.tensor([10.0]))
    out = eval_batch(image, points, valid, 24, frame=square)
    # The crop is 12 wide around (20, 20): it begins at 14.
    assert out.points[0, 1].tolist() == pytest.approx([0, 0], abs=1e-6)
    still = AugmentConfig(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    scheme = get_scheme("five")
    five, ok = points.repeat(1, 3, 1)[:, :5], torch.ones(1, 5, dtype=torch.bool)
    again = augment_batch(image, five, ok, scheme, still, 24, torch.Generator().manual_seed(0), square)
    assert again.points[0, 1].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_shares_are_spread_over_points() -> None:
    layout = make_layout(("five", "cofw29"))
    weights = anchor_weights(Source("a", (("cofw29", None, 0.58), ("five", None, 0.5))), layout)
    assert weights.tolist() == pytest.approx([0.1] * 5 + [0.02] * 29)


def test_anchors_are_labelled_ones_first_and_never_twice() -> None:
    valid = torch.zeros(3, 40, dtype=torch.bool)
    valid[0], valid[1, 3:8], valid[2, :24] = True, True, True
    weights = torch.full((3, 40), 0.025)
    generator = torch.Generator().manual_seed(0)
    index, labelled = draw_anchors(valid, weights, 24, generator)
    assert index.shape == (3, 24) and all(len(set(row.tolist())) == 24 for row in index)
    assert labelled.sum(1).tolist() == [24, 5, 24]
    assert set(index[1][labelled[1]].tolist()) == {3, 4, 5, 6, 7}
    few, _ = draw_anchors(valid[:, :10], weights[:, :10], 24, generator)
    assert few.shape == (3, 10)


def test_anchors_follow_their_shares() -> None:
    valid = torch.ones(400, 10, dtype=torch.bool)
    weights = torch.tensor([0.5] + [0.5 / 9] * 9).expand(400, 10)
    index, _ = draw_anchors(valid, weights, 1, torch.Generator().manual_seed(1))
    assert float((index == 0).float().mean()) == pytest.approx(0.5, abs=0.08)


def test_a_set_that_is_not_there_is_named(root) -> None:
    layout = make_layout(CONVENTIONS, root)
    with pytest.raises(DataError, match=r"needs the data set 'wflw', but there is no folder .*wflw"):
        load_mixed(root, ("w300_68", "wflw"), layout, 32, progress=False)
    alone = load_mixed(root / "w300_68", ("w300_68",), layout, 32, progress=False)
    assert len(alone) == 6
