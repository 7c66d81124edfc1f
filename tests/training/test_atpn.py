"""ATPN's losses and stages by hand-worked numbers, its angles, its negatives, and a short training."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.data import open_dataset, pack
from workbench.errors import DataError, UnknownNameError
from workbench.landmarks.geometry import rotation, rotation_angles
from workbench.models import build, load_model
from workbench.models.atpn import PRESETS
from workbench.training import get_recipe, train
from workbench.training.atpn import (
    ATPNTraining,
    average_precision,
    landmark_loss,
    pose_loss,
    squared_weights,
    tracking_loss,
)
from workbench.training.atpn_data import (
    KINDS,
    MIDLINE,
    MIRRORED,
    class_pose,
    frame_from_five,
    mesh_pose,
    non_faces,
    open_pictures,
    overlap,
    posed_views,
    rigid_face,
    weak_perspective,
)
from workbench.training.recipes import Phase


def test_the_landmark_loss_by_hand() -> None:
    truth = torch.zeros(2, 2, 2)
    shape = torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[0.0, 1.0], [9.0, 9.0]]])
    valid = torch.tensor([[True, True], [True, False]])
    # 5 / 10, 0 / 10 and 1 / 2 over three labelled points.
    assert landmark_loss(shape, truth, valid, torch.tensor([10.0, 2.0])) == pytest.approx(1 / 3)


def test_the_tracking_loss_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.2, 0.8], [0.6, 0.4]]))  # a face believed with 0.8, a non-face with 0.4
    face = torch.tensor([1.0, 0.0])
    expected = -(math.log(0.8) + math.log(0.6)) / 2
    assert tracking_loss(logits, face) == pytest.approx(expected, abs=1e-6)
    printed = -(math.log(0.8) + (1 - math.log(0.4))) / 2
    assert tracking_loss(logits, face, "printed") == pytest.approx(printed, abs=1e-6)
    with pytest.raises(UnknownNameError, match="hinge"):
        tracking_loss(logits, face, "hinge")


def test_the_printed_second_term_has_no_bottom() -> None:
    sure = [tracking_loss(torch.tensor([[0.0, -x]]), torch.zeros(1), "printed").item() for x in (5.0, 50.0)]
    assert sure[1] < sure[0] - 40


def test_the_pose_loss_by_hand() -> None:
    found, truth = torch.tensor([[1.0, 2.0, 2.0]]), torch.zeros(1, 3)
    assert pose_loss(found, truth) == pytest.approx(1.0)  # |(1, 2, 2)| = 3
    assert pose_loss(found, truth, "absolute") == pytest.approx(5 / 3)
    assert pose_loss(found, truth, "printed") == pytest.approx(math.sqrt(3) / 3)
    unknown = torch.tensor([[0.0, torch.nan, 2.0]])
    assert pose_loss(found, unknown) == pytest.approx(1 / 3)
    with pytest.raises(UnknownNameError):
        pose_loss(found, truth, "cosine")


@pytest.mark.parametrize("kind", ["norm", "absolute", "printed"])
def test_an_unknown_or_right_angle_gives_a_finite_gradient(kind: str) -> None:
    found = torch.zeros(2, 3, requires_grad=True)
    pose_loss(found, torch.tensor([[0.0, 0.0, 0.0], [torch.nan, torch.nan, torch.nan]]), kind).backward()
    assert torch.isfinite(found.grad).all()


def test_average_precision_by_hand() -> None:
    # Sorted: hit, miss, hit, miss. Precision 1 at recall 1/2, 2/3 at recall 1.
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, 0, 1, 0])) == pytest.approx(5 / 6)
    assert average_precision(np.array([0.5, 0.5]), np.array([1, 0])) == pytest.approx(0.5)  # a tie enters together
    assert average_precision(np.array([0.9, 0.2]), np.array([1, 0])) == 1


def test_squared_weights_leave_out_biases_and_norms() -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
    layers[0].weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    assert squared_weights(layers).item() == pytest.approx(12.5)


def test_angles_and_rotations_are_inverses() -> None:
    angles = np.random.default_rng(0).uniform(-1.2, 1.2, (50, 3))
    np.testing.assert_allclose(rotation_angles(rotation(angles)), angles, atol=1e-9)


@pytest.mark.parametrize(
    ("angles", "nose", "right"),
    [
        ((0.5, 0, 0), (math.sin(0.5), 0), (math.cos(0.5), 0)),  # turned to image right: so points the nose
        ((0, 0.5, 0), (0, -math.sin(0.5)), (1, 0)),  # looking up: the nose goes up the picture
        ((0, 0, 0.5), (0, 0), (math.cos(0.5), math.sin(0.5))),  # clockwise: what was right goes down
    ],
)
def test_what_positive_angles_mean(angles, nose, right) -> None:
    r = rotation(np.array(angles))
    np.testing.assert_allclose((r @ [0, 0, -1])[:2], nose, atol=1e-9)
    np.testing.assert_allclose((r @ [1, 0, 0])[:2], right, atol=1e-9)


def head(rng: np.random.Generator) -> np.ndarray:
    """A rigid face of 478 vertices whose named pairs are mirrored and whose midline has no depth."""
    x = rng.normal(size=(478, 3)) * [1, 1.2, 0.6]
    for a, b in MIRRORED:
        x[a, 0], x[b, 0] = -abs(x[a, 0]) - 0.5, abs(x[a, 0]) + 0.5
        x[b, 1:] = x[a, 1:]
    x[MIDLINE[0]], x[MIDLINE[1]] = (0, -1.5, 0.1), (0, 1.5, 0.1)
    return x


def meshes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    angles = rng.uniform(-0.6, 0.6, (count, 3))
    turned = np.einsum("mij,nj->mni", rotation(angles), head(rng))
    return 40 * turned + [128, 128, 0], angles


def test_a_rigid_face_and_its_pose_are_found_again() -> None:
    x, angles = meshes(np.random.default_rng(1), 30)
    shape = rigid_face(x)
    found = rotation_angles(weak_perspective(shape, x[..., :2]))
    np.testing.assert_allclose(found, angles, atol=1e-6)


def test_mesh_pose_reads_the_file_and_learns_from_the_training_part(tmp_path) -> None:
    folder = write_synthetic(tmp_path / "drawn", train=6, test=2)
    assert mesh_pose(folder) == {}
    names = [s.name for s in open_dataset(folder)]
    x, angles = meshes(np.random.default_rng(2), 8)
    ok = np.arange(8) != 3
    np.savez(folder / "dense_mediapipe.npz", files=np.array(names), points=x, ok=ok)
    found = mesh_pose(folder)
    assert set(found) == set(names) - {names[3]}
    np.testing.assert_allclose(found[names[7]], angles[7], atol=1e-6)
    (folder / "dense_mediapipe.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="no mesh points"):
        mesh_pose(folder)


def turned_set(folder, count: int = 8, classes: tuple[int, ...] = (1, 2, 3, 4, 5)) -> None:
    """A drawn set of five points with pose classes, nothing turned in the pictures."""
    write_synthetic(folder, train=count, test=count)
    with (folder / "annotations.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    groups = (range(36, 42), range(42, 48), (30,), (48,), (54,))
    with (folder / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "subset", "pose", *(f"{a}{i}" for i in range(5) for a in "xy")])
        for n, row in enumerate(rows):
            five = [np.mean([float(row[f"{a}{i}"]) for i in group]) for group in groups for a in "xy"]
            writer.writerow([row["file"], row["subset"], classes[n % len(classes)], *five])


def test_pose_classes_become_angles(tmp_path) -> None:
    turned_set(tmp_path / "mtfl5")
    points = np.array([[[0, 0], [10, 0], [5, 5], [2, 9], [8, 9]], [[0, 0], [10, 10], [5, 5], [2, 9], [8, 9]]], float)
    pose, classes = class_pose(tmp_path / "mtfl5", ("drawn_0000.png", "drawn_0003.png"), points)
    assert classes.tolist() == [1, 4]
    np.testing.assert_allclose(np.rad2deg(pose), [[-60, np.nan, 0], [30, np.nan, 45]])
    turned_set(tmp_path / "wrong", classes=(7,))
    with pytest.raises(DataError, match="1 to 5"):
        class_pose(tmp_path / "wrong", ("drawn_0000.png",), points[:1])


def test_the_box_of_68_points_from_five() -> None:
    # Upright, eyes 96 and mouth 100 apart, the nose in the middle: nearly the mean face.
    five = np.array([[[52.0, 50.0], [148.0, 50.0], [100.0, 105.0], [65.0, 150.0], [135.0, 150.0]]])
    centre, side = frame_from_five(five)
    np.testing.assert_allclose(centre, [[100, 116]], atol=3)
    assert side[0] == pytest.approx(228, abs=5)
    moved, larger = frame_from_five(2 * five + 7)
    np.testing.assert_allclose(moved, 2 * centre + 7)
    np.testing.assert_allclose(larger, 2 * side)


def test_views_of_a_face_turn_its_angles_with_it() -> None:
    size, count = 32, 40
    images = torch.zeros(count, 3, 64, 64, dtype=torch.uint8)
    images[:, 0, 28:36, 44:52] = 255  # red to the right of the middle
    images[:, 1, 28:36, 28:36] = 255  # green in the middle
    pose = torch.tensor([[0.4, 0.1, 0.0]]).expand(count, 3)
    centre, side = torch.full((count, 2), 32.0), torch.full((count,), 40.0)
    crops, angles = posed_views(images, centre, side, pose, size, torch.Generator().manual_seed(0))
    assert torch.allclose(angles[:, 1], torch.tensor(0.1))
    grid = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="xy")).float()

    def middle(weight):
        return (grid * weight).sum((1, 2)) / weight.sum()

    checked = 0
    for crop, angle in zip(crops, angles, strict=True):
        red, green = (crop[0] - crop[2]).clamp_min(0), (crop[1] - crop[2]).clamp_min(0)
        if min(red.sum(), green.sum()) < 8:  # grey
            continue
        way = middle(red) - middle(green)
        flipped = angle[0] < 0
        assert (way[0] < 0) == flipped  # mirrored: yaw changes its sign
        if flipped:
            way = -way
        assert torch.atan2(way[1], way[0]) == pytest.approx(float(angle[2]), abs=0.08)
        checked += 1
    assert checked > 20 and (angles[:, 0] < 0).any() and (angles[:, 0] > 0).any()


def test_overlap_by_hand() -> None:
    shift = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, 0.0], [2.0, 0.0]])
    found = overlap(shift, torch.tensor([1.0, 1.0, 0.5, 1.0]))
    assert torch.allclose(found, torch.tensor([1.0, 1 / 3, 0.25, 0.0]))


def test_non_faces_are_of_every_kind_and_lie_apart_from_the_face(monkeypatch) -> None:
    import workbench.training.atpn_data as data

    seen = []
    real = data.crop_matrix
    monkeypatch.setattr(data, "crop_matrix", lambda *args: seen.append(args) or real(*args))
    images = torch.randint(0, 255, (200, 3, 48, 48), dtype=torch.uint8)
    centre, side = torch.full((200, 2), 24.0), torch.full((200,), 32.0)
    pictures = open_pictures(("coffee",))
    assert len(pictures) == 1 and pictures[0].shape[0] == 3
    crops, kind = non_faces(images, centre, side, 24, torch.Generator().manual_seed(0), pictures)
    assert crops.shape == (200, 3, 24, 24) and crops.min() >= 0 and crops.max() <= 1
    assert set(kind.tolist()) == set(range(len(KINDS)))
    where, scale = (seen[0][0] - centre) / 32, seen[0][1] / 32
    apart = overlap(where, scale)
    assert apart[kind < 3].max() < 0.3  # part, beside, far
    over = kind == KINDS.index("turned over")
    assert torch.cos(seen[0][3][over]).max() < -0.5


def short(**changes):
    phases = (
        Phase(1, 1e-3, task="heatmaps"),
        Phase(1, 1e-3),
        Phase(1, 1e-3, task="tracking"),
        Phase(1, 1e-3, task="pose"),
    )
    values = dict(sets=("drawn",), test="drawn", batch=8, ema=0.0, pack=96, phases=phases)
    return replace(get_recipe("atpn-68"), **{**values, **changes})


@pytest.mark.slow
def test_three_stages_end_to_end_with_a_frozen_trunk(tmp_path, monkeypatch) -> None:
    write_synthetic(tmp_path / "drawn", train=8, test=4)
    turned_set(tmp_path / "mtfl5", count=10)
    trunk = {}

    class Watched(ATPNTraining):
        def on_train_epoch_end(self) -> None:
            state = self.model.state_dict()
            trunk[self.phase.task] = {k: v.clone() for k, v in state.items()}

    monkeypatch.setattr("workbench.training.atpn.ATPNTraining", Watched)
    path = train(short(), tmp_path, tmp_path / "out", progress=False)

    def changed(before: str, after: str) -> set[str]:
        return {k.split(".")[0] for k, v in trunk[after].items() if not torch.equal(v, trunk[before][k])}

    assert changed("heatmaps", "model") == {"backbone", "landmark"}
    assert changed("model", "tracking") == {"tracking"}
    assert changed("tracking", "pose") == {"pose"}
    model = load_model(path, device="cpu")
    rows = {row["metric"]: row["value"] for row in model.card.metrics}
    assert 0 <= rows["sign of yaw right"] <= 100
    assert 0 <= rows["face / no face, average precision"] <= 1
    assert path.stat().st_size < 12_000_000


def test_pose_needs_angles(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=8, test=4)
    with pytest.raises(DataError, match="Pose cannot be learned"):
        train(short(), tmp_path, tmp_path / "out", progress=False)


@pytest.mark.slow
def test_landmarks_are_learned(tmp_path) -> None:
    """A few steps on one batch bring the error down to less than half."""
    folder = write_synthetic(tmp_path / "drawn", train=8, test=1)
    packed = pack(open_dataset(folder, split="train"), size=96, progress=False)
    torch.manual_seed(0)
    model = build(PRESETS["atpn-68-compact"], ATPNTraining.mean_face(packed)).train()
    module = ATPNTraining(model, model.scheme, short(phases=(Phase(1, 1e-3),)))
    optimizer = torch.optim.AdamW([*model.backbone.parameters(), *model.landmark.parameters()], lr=2e-3)
    losses = []
    for _ in range(25):
        batch = module.view(packed[:], torch.Generator().manual_seed(3))
        loss = module.model_loss(batch.images, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
