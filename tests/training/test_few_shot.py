"""Teaching a convention from a few faces: it is learned, the rest is not forgotten, and what is kept can be loaded."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import workbench as wb
from tests.shaping import oval, tiny_tufa
from tests.synthetic import write_synthetic
from workbench.cli import app
from workbench.errors import DataError, SettingsError, UnknownNameError
from workbench.finding import encode_face, find_on
from workbench.landmarks import get_scheme, user_scheme
from workbench.models import load_model, optimise
from workbench.training import few_shot
from workbench.training.few_shot import convention_key, mirror_pairs, teach, with_convention


@pytest.fixture(scope="module")
def tufa():
    return load_model("tufa", device="cpu")


@pytest.fixture(scope="module")
def faces():
    return [wb.sample_face(name) for name in ("frontal-a", "tilted-left")]


def found(model, faces, points) -> np.ndarray:
    return find_on(model, [encode_face(model, face) for face in faces], points).points


@pytest.mark.slow
def test_the_places_of_points_on_the_plane_are_learned_from_where_they_lie_on_faces(tufa, faces) -> None:
    rng = np.random.default_rng(3)
    secret = tufa.prompt("ibug68").detach().numpy()[[8, 27, 30, 36, 45, 48, 54]] + rng.normal(0, 0.02, (7, 2))
    labels = [
        face.to_photo(points * 1000, 1000) for face, points in zip(faces, found(tufa, faces, secret), strict=True)
    ]
    heard: list[tuple[int, int]] = []
    taught = teach(tufa, faces, labels, user_scheme("seven", 7), steps=0, told=lambda *n: heard.append(n))
    assert (taught.convention, taught.faces, taught.moved) == ("user-seven-7", 2, 0.0)
    assert taught.after.mean() < 0.5 * taught.before.mean() and taught.after.mean() < 1
    learned = taught.model.prompt("user-seven-7").detach().numpy()
    start = taught.model.shape_of("user-seven-7").detach().numpy()
    assert np.linalg.norm(learned - secret, axis=1).mean() < 0.6 * np.linalg.norm(start - secret, axis=1).mean()
    assert heard[-1] == (few_shot.FIT_STEPS, few_shot.FIT_STEPS)
    # Another face, of which nothing was said, is read better, too; what the model knew is as it was.
    other = [wb.sample_face("turned-left-30")]
    miss = [
        np.linalg.norm(found(tufa, other, p) - found(tufa, other, secret), axis=-1).mean() for p in (start, learned)
    ]
    assert miss[1] < miss[0]
    own = tufa.prompt().detach().numpy()
    np.testing.assert_array_equal(found(taught.model, other, own), found(tufa, other, own))


def test_tuning_changes_a_copy_and_leaves_statistics_alone(faces) -> None:
    model = tiny_tufa()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    labels = [face.to_photo(oval(9) * 1000, 1000) for face in faces]
    labels[1][4] = np.nan  # a point that one face lacks
    taught = teach(model, faces, labels, steps=3, lr=1e-3)
    assert len(taught.loss) == 3 == taught.steps and np.isfinite(taught.loss).all() and taught.moved > 0
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    after = taught.model.state_dict()
    assert not torch.equal(after["head.0.weight"], before["head.0.weight"])
    assert not taught.model.training and np.isfinite(taught.after).all()
    assert taught.convention == "user-points-9" and taught.model.prompt("user-points-9").shape == (9, 2)
    again = teach(model, faces, labels, steps=3, lr=1e-3)
    np.testing.assert_array_equal(again.loss, taught.loss)


def test_a_convention_joins_without_touching_the_others() -> None:
    model = tiny_tufa()
    grown = with_convention(model, "user-x-5", oval(5))
    assert grown.config.conventions == (*model.config.conventions, "user-x-5")
    np.testing.assert_allclose(grown.prompt("user-x-5").detach(), oval(5), atol=1e-6)
    for name in model.config.conventions:
        assert torch.equal(grown.prompt(name), model.prompt(name))
    known = with_convention(model, "wflw98", oval(98))  # a known one begins anew
    np.testing.assert_allclose(known.prompt("wflw98").detach(), oval(98), atol=1e-6)
    assert sorted(known.config.conventions) == sorted(model.config.conventions)


def test_names_and_twins_by_hand() -> None:
    assert convention_key(get_scheme("wflw98")) == "wflw98"
    assert convention_key(user_scheme("Brow lift, left 2", 6)) == "user-brow-lift-left-6"
    assert convention_key(user_scheme("73 points", 73)) == "user-points-73"
    assert convention_key(user_scheme("ibug68", 68)) == "user-ibug-68"  # not the built-in one of that name
    assert convention_key(user_scheme("7", 3)) == "user3"
    mirror = np.array([[-1.0, 0, 1], [0, 1, 0]])
    assert mirror_pairs(np.array([[0.2, 0.5], [0.5, 0.1], [0.81, 0.5]]), mirror) == (2, 1, 0)
    assert mirror_pairs(np.array([[0.2, 0.5], [0.5, 0.1], [0.7, 0.5]]), mirror) == ()
    assert mirror_pairs(np.array([[0.4, 0.5], [0.41, 0.5]]), mirror) == ()


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([], "from 1 to 500 faces, not 0"),
        ([np.zeros((3, 2)), np.zeros((4, 2))], "needs the same points"),
        ([np.zeros((3, 3))] * 2, r"\(N, 2\) numbers, not \(3, 3\)"),
        ([np.array([[1.0, 2], [np.nan, 3], [5, 9]])] * 2, "Point 1 is marked on no face"),
        ([np.full((3, 2), 4.0)] * 3, "needs the same points"),
    ],
)
def test_labels_that_teach_nothing(faces, labels, says) -> None:
    with pytest.raises(DataError, match=says):
        teach(tiny_tufa(), faces[: min(2, len(labels))], labels)


def test_models_and_settings_that_cannot_be_taught(tiny_model, faces) -> None:
    with pytest.raises(UnknownNameError, match="finds its own landmarks only"):
        teach(tiny_model, faces[:1], [np.zeros((3, 2))])
    points = [np.array([[100.0, 100], [200, 120], [150, 200]])]
    with pytest.raises(SettingsError, match="takes no -1 steps"):
        teach(tiny_tufa(), faces[:1], points, steps=-1)
    with pytest.raises(SettingsError, match="optimised for reading"):
        teach(optimise.optimise(tiny_tufa()), faces[:1], points)
    with pytest.raises(DataError, match="has 68 points, the faces have 3"):
        teach(tiny_tufa(), faces[:1], points, get_scheme("68"))


def test_whoever_listens_can_call_it_off(faces) -> None:
    class Enough(Exception):
        pass

    def told(done: int, of: int) -> None:
        if done == 5:
            raise Enough

    with pytest.raises(Enough):
        teach(tiny_tufa(), faces[:1], [np.array([[100.0, 100], [200, 120], [150, 200]])], told=told)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Drawn faces of 68 points in two parts."""
    root = tmp_path_factory.mktemp("taught")
    write_synthetic(root / "drawn", train=6, test=4)
    write_synthetic(root / "whole", train=5, test=0)
    return root


@pytest.mark.slow
def test_the_shell_teaches_measures_and_keeps(drawn, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(few_shot, "FIT_STEPS", 3)
    model = "tufa"
    out = tmp_path / "out"
    command = ["train", "--from", model, "--points", str(drawn / "drawn"), "--out", str(out), "--name", "mine"]
    done = CliRunner().invoke(app, [*command, "--faces", "2", "--steps", "2", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "On 4 faces that it was not taught (drawn test)" in done.output
    kept = load_model(out / "mine.safetensors", device="cpu")
    card = kept.card
    assert card is not None and card.name == "mine" and "--faces 2" in card.command and card.steps == 2
    assert [row["faces"] for row in card.metrics] == [4, 2, 2] and "taught from 2 faces" in card.metrics[0]["labels"]
    assert "few-shot" in " ".join(card.notes)

    done = CliRunner().invoke(
        app,
        ["evaluate", "--data", str(drawn / "drawn"), "--model", model, "--device", "cpu", "--json", "--steps", "0",
         "--few-shot", "1", "--few-shot", "50%"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)["rows"]
    assert [row["labels"] for row in rows] == [f"ibug68, human, taught from {n}" for n in ("1 face", "3 faces")]
    assert all(row["value"] > 0 and row["zero_shot"] > 0 and row["faces"] == 4 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "tufa"], "Teaching takes --from MODEL and --points FOLDER"),
        (["--points", "x"], "Teaching takes --from MODEL and --points FOLDER"),
        (["dslpt-68", "--from", "tufa", "--points", "x"], "and no recipe"),
        (["dslpt-68"], "takes a recipe and --data FOLDER"),
        ([], "takes a recipe and --data FOLDER"),
        (["--from", "{model}", "--points", "{data}", "--faces", "7"], "7 faces are asked for, and 6 are there"),
        (["--from", "{model}", "--points", "{data}", "--faces", "few"], "written as 10, or as 5%"),
        (["--from", "{model}", "--points", "{data}", "--faces", "0"], "written as 10, or as 5%"),
        (["--from", "slpt-68", "--points", "{data}"], "finds its own landmarks only"),
        (["--from", "{model}", "--points", "nowhere"], "There is no folder"),
    ],
)
def test_what_the_shell_refuses(drawn, tmp_path, arguments, says) -> None:
    given = [a.format(model="tufa", data=drawn / "drawn") for a in arguments]
    done = CliRunner().invoke(app, ["train", *given, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2 and says in " ".join(done.output.split()), done.output
    assert not (tmp_path / "out").exists()


def test_a_set_without_a_test_part_is_measured_on_the_others(drawn, tufa, monkeypatch) -> None:
    monkeypatch.setattr(few_shot, "FIT_STEPS", 2)
    some = few_shot.few_shot(tufa, drawn / "whole", 2, steps=0)
    assert isinstance(some, few_shot.FewShot) and (some.split, some.faces) == ("the others", 3)
    everything = few_shot.few_shot(tufa, drawn / "whole", "100%", steps=0)
    assert isinstance(everything, few_shot.Taught) and everything.faces == 5


def test_the_users_own_models_stand_beside_the_shipped_ones(monkeypatch, tmp_path, faces) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(few_shot, "FIT_STEPS", 1)
    labels = [np.array([[100.0, 100], [200, 120], [150, 200]])]
    taught = teach(tiny_tufa(), faces[:1], labels, steps=0)
    taught.save(folder / "my-three")
    (folder / "half.json").write_text((folder / "my-three.json").read_text())  # a card without weights
    names = [card.name for card in wb.list_models()]
    assert names.count("my-three") == 1 and "half" not in names and names[-1] == "my-three"
    assert "user-points-3" in wb.load_model("my-three", device="cpu").config.conventions
    assert wb.load_model("tufa", device="cpu").name == "tufa"
    # A shipped name stays the shipped model's.
    card = json.loads((folder / "my-three.json").read_text())
    for ending in (".safetensors", ".json"):
        (folder / f"tufa{ending}").write_bytes((folder / f"my-three{ending}").read_bytes())
    (folder / "tufa.json").write_text(json.dumps({**card, "name": "tufa"}))
    assert "user-points-3" not in wb.load_model("tufa", device="cpu").config.conventions
    assert [c.name for c in wb.list_models()].count("tufa") == 1
