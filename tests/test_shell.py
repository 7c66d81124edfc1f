"""The shell: what it prints, what it writes, and one sentence for whatever it cannot use."""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image, ImageChops

import workbench as wb
from workbench.cli import main
from workbench.launch import flags, settings


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the console script; returns exit code, standard output and standard error."""

    def call(*words: str):
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return call


def test_models_are_listed_with_their_measured_error(run) -> None:
    code, out, _ = run("models", "--json")
    cards = json.loads(out)
    assert code == 0
    assert {"dslpt-68", "dslpt-98"} <= {card["name"] for card in cards}
    code, out, _ = run("models")
    assert code == 0
    assert "% on w300_68 test" in out


def test_predictions_are_in_pixels_of_the_photograph(run) -> None:
    code, out, _ = run("predict", "sample:astronaut", "--json")
    (row,) = json.loads(out)
    assert code == 0
    points = np.array([[mark["x"], mark["y"]] for mark in row["landmarks"]])
    expected = wb.read(wb.load_model("dslpt-68"), wb.sample_face("astronaut")).landmarks
    np.testing.assert_allclose(points, expected, atol=1e-3)
    assert all(mark["sigma_x"] > 0 for mark in row["landmarks"])
    # The astronaut's face: the eyes lie above the mouth, inside the detected region.
    assert points[36:48, 1].mean() < points[48:, 1].mean()
    assert ((points > [140, 50]) & (points < [300, 220])).all()


def test_csv_has_a_line_for_every_landmark(run) -> None:
    _, out, _ = run("predict", "sample:astronaut", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [r["landmark"] for r in rows] == [str(i) for i in range(68)]


def test_one_bad_picture_does_not_stop_the_others(run, tmp_path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    code, out, err = run("predict", bad, "sample:astronaut", "sample:nobody", "--json", "--out", tmp_path)
    assert code == 1
    assert [row["image"] for row in json.loads(out)] == ["sample:astronaut"]
    assert len(err.strip().splitlines()) == 2
    assert "Traceback" not in err
    assert json.loads((tmp_path / "astronaut.json").read_text())[0]["model"] == "dslpt-68"


def test_all_faces_of_a_group(run) -> None:
    _, out, _ = run("predict", "sample:group", "--face", "all", "--json")
    rows = json.loads(out)
    assert [row["face"] for row in rows] == [1, 2, 3]
    centres = sorted(float(np.mean([mark["x"] for mark in row["landmarks"]])) for row in rows)
    assert min(np.diff(centres)) > 60


def test_a_box_replaces_the_search(run, tmp_path) -> None:
    plain = tmp_path / "plain.png"
    Image.new("RGB", (200, 200), (90, 120, 90)).save(plain)
    code, _, err = run("predict", plain)
    assert code == 1
    assert "--box x0,y0,x1,y1" in err
    code, out, _ = run("predict", plain, "--box", "50,50,150,150", "--json")
    assert code == 0
    assert json.loads(out)[0]["box"] == [50, 50, 150, 150]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("predict", "sample:astronaut", "--model", "dslpt-6"), "dslpt-68"),
        (("predict", "sample:astronaut", "--box", "1,2,3"), "four numbers"),
        (("predict", "sample:astronaut", "--face", "zero"), "--face"),
        (("predict", "sample:astronaut", "--out", "/nowhere/at/all"), "no folder"),
        (("trace", "sample:astronaut", "--out", "/nowhere/t.safetensors"), "could not be written"),
        (("figure", "sample:astronaut", "--view", "relations", "--out", "x.bmp"), "bmp"),
        (("figure", "sample:astronaut", "--view", "relations", "--out", "x.png", "--stage", "9"), "stage"),
        (("figure", "sample:astronaut", "--view", "structure", "--out", "x.png", "--layer", "1"), "--layer"),
        (("evaluate", "--data", "/nowhere"), "/nowhere"),
        (("import-weights", "x", "--system", "chs", "--init-face", "x", "--out", "x"), "choose one of dslpt, slpt"),
        (("train", "nothing", "--data", "/nowhere", "--out", "/tmp/never"), "dslpt-68"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(run, words, says) -> None:
    code, out, err = run(*words)
    assert code != 0
    assert says in err
    assert "Traceback" not in err + out
    assert len(err.strip().splitlines()) == 1


def test_a_trace_is_kept_and_opens_again(run, tmp_path) -> None:
    path = tmp_path / "t.safetensors"
    code, _, _ = run("trace", "sample:astronaut", "--out", path)
    assert code == 0
    trace = wb.Trace.load(path)
    assert trace["relation.layers.0.cross"].axes == ("stage", "batch", "head", "query_landmark", "key_landmark")
    assert trace.meta["model"] == "dslpt-68"
    assert len(trace.meta["checkpoint"]) == 64


@pytest.mark.slow
@pytest.mark.parametrize(
    "view", ["landmarks", "relations", "matrix", "structure", "uncertainty", "patches", "trajectory"]
)
def test_every_view_becomes_a_picture(run, tmp_path, view) -> None:
    path = tmp_path / f"{view}.png"
    code, _, err = run("figure", "sample:astronaut", "--view", view, "--out", path)
    assert code == 0, err
    with Image.open(path) as image:
        assert min(image.size) > 300
        assert len(image.convert("RGB").getcolors(2**24)) > 50


@pytest.mark.slow
def test_published_weights_become_a_checkpoint_that_predicts_the_same(run, tmp_path) -> None:
    import torch

    from tests.models.test_importing import published

    model, path, init, _ = published(tmp_path)
    out = tmp_path / "mine.safetensors"
    code, _, err = run("import-weights", path, "--system", "dslpt", "--init-face", init, "--out", out)
    assert code == 0, err
    loaded = wb.load_model(out, device="cpu")
    image = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        assert torch.allclose(model(image).stages, loaded(image).stages, atol=1e-3)
    assert loaded.card is not None
    assert loaded.card.landmarks == 29
    code, _, err = run("import-weights", path, "--system", "slpt", "--init-face", init, "--out", out)
    assert code == 2
    assert "left over" in err


@pytest.mark.slow
def test_the_bench_measures_every_step(run) -> None:
    code, out, _ = run("bench", "--repeats", "1", "--json")
    result = json.loads(out)
    assert code == 0
    assert set(result["milliseconds"]) >= {"load and detect", "read and record", "figure", "all"}
    assert result["traced_over_untraced"] > 0


def test_the_app_listens_on_this_machine_only() -> None:
    chosen = dict(flag.removeprefix("--").split("=", 1) for flag in flags(settings()) if "allowedHosts" not in flag)
    assert chosen["server.address"] == "127.0.0.1"
    assert chosen["browser.gatherUsageStats"] == "false"
    assert chosen["server.enableXsrfProtection"] == "true"
    assert chosen["client.showErrorDetails"] == "none"


@pytest.fixture(scope="module")
def tufa(tmp_path_factory):
    """A small untrained TUFA's file."""
    from tests.shaping import store

    return store(tmp_path_factory.mktemp("tufa"))


def test_a_shape_is_found(run, tmp_path, tufa) -> None:
    from workbench.shaping import find_shape

    points = [[0.5, 0.2], [0.25, 0.6], [0.75, 0.6]]
    file = tmp_path / "shape.json"
    file.write_text(json.dumps({"name": "triangle", "points": points}))
    words = ("shape", "sample:astronaut", "--model", tufa, "--points", file)
    code, out, err = run(*words)
    assert code == 0, err
    expected = find_shape(wb.load_model(tufa), wb.sample_face("astronaut"), points).landmarks
    rows = json.loads(out)["landmarks"]
    np.testing.assert_allclose([[row["x"], row["y"]] for row in rows], expected, atol=1e-2)
    code, out, _ = run(*words, "--out", tmp_path / "found.csv")
    assert "3 points, 3 of them off every anchor" in out
    with (tmp_path / "found.csv").open() as lines:
        assert all(float(row["anchor_distance_percent"]) > 0 for row in csv.DictReader(lines))


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("html", b"<"), ("json", b"{")])
def test_a_template_is_found_and_drawn(run, tmp_path, tufa, kind, start) -> None:
    out = tmp_path / f"found.{kind}"
    code, said, err = run("shape", "sample:astronaut", "--model", tufa, "--points", "5", "--out", out)
    assert code == 0, err
    assert str(out) in said
    assert out.read_bytes().startswith(start)


def test_a_shape_file_of_another_tool_is_found_on_a_folder_of_photographs(run, tmp_path) -> None:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for k, name in enumerate(("frontal-a", "frontal-b")):
        wb.sample_face(name).photo.save(folder / ("deep" if k else "") / f"{name}.PNG")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / ".hidden.jpg").write_bytes(b"")
    table = tmp_path / "points.csv"
    table.write_text("x;y;note\n0.35;0.35;a\n0.65;0.35;b\n")
    code, out, told = run("predict", folder, "--model", "tufa", "--shape", table, "--json")
    records = json.loads(out)
    assert code == 1 and [len(r["landmarks"]) for r in records] == [2, 2]
    assert "broken.jpg" in told and "column note" in told and "hidden" not in told
    for record in records:  # both points of the plane lie in one row, near the eyes
        left, right = record["landmarks"]
        assert right["x"] - left["x"] > 3 * abs(right["y"] - left["y"])
    assert run("predict", tmp_path / "none")[0] == 1 and "known endings" not in run("predict", tmp_path / "none")[2]
    (tmp_path / "empty").mkdir()
    assert "There is no picture in" in run("predict", tmp_path / "empty")[2]


@pytest.mark.parametrize(
    ("points", "out", "says"),
    [
        ('{"points": [[NaN, 0]]}', "x.csv", "not a finite number"),
        ("no json", "x.csv", "not readable JSON"),
        ('{"points": [[0.5, 0.5]]}', "x.bmp", ".png, .svg or .html"),
        ('{"points": [[0.5, 0.5]]}', "no/where/x.csv", "could not be written"),
        ("189", "x.csv", "has learned no 'webmorph189'"),
        ("blah", "x.csv", "no landmark scheme"),
        ("missing.json", "x.csv", "There is no shape file"),
    ],
)
def test_a_shape_that_cannot_be_used_gets_one_sentence(run, tmp_path, tufa, points, out, says) -> None:
    file = tmp_path / "shape.json"
    file.write_text(points)
    given = file if points[0] in "{n" else points
    code, shown, err = run("shape", "sample:astronaut", "-m", tufa, "--points", given, "--out", tmp_path / out)
    assert code == 2
    assert says in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err + shown


def test_a_shape_asked_of_another_system(run) -> None:
    code, _, err = run("shape", "sample:astronaut", "--model", "dslpt-68", "--points", "68")
    assert code == 2
    assert "choose a model that takes structure prompts" in err


@pytest.mark.slow
def test_a_face_is_followed_through_frames(run, tmp_path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    portrait = wb.sample_face("astronaut").photo
    for i in range(4):
        moved = Image.new("RGB", portrait.size)
        moved.paste(portrait, (6 * i, 4 * i))
        moved.save(frames / f"{i}.png")
    Image.new("RGB", portrait.size).save(frames / "4.png")
    code, out, _ = run("track", frames)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["state"] for row in rows] == ["detected", "tracked", "tracked", "tracked", "lost"]
    assert [row["searched"] for row in rows] == ["True", "False", "False", "False", "True"]
    nose = np.array([[float(row["x30"]), float(row["y30"])] for row in rows[:4]])
    np.testing.assert_allclose(np.diff(nose, axis=0), [[6, 4]] * 3, atol=4)
    assert rows[4]["x30"] == ""
    code, out, _ = run("track", frames, "--frames", 2, "--out", tmp_path / "way.json")
    assert code == 0 and "2 frames, a face in 2, searched for in 1" in out
    first = json.loads((tmp_path / "way.json").read_text())[0]
    assert len(first["landmarks"]) == 68 and abs(first["yaw"]) < 60


@pytest.mark.slow
def test_what_was_tracked_is_drawn_on_the_frames_and_over_time(run, tmp_path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    portrait = wb.sample_face("frontal-a").photo
    for i in range(3):
        ImageChops.offset(portrait, 5 * i, 0).save(frames / f"{i}.png")
    film, chart = tmp_path / "marked.gif", tmp_path / "time.json"
    code, out, err = run("track", frames, "--film", film, "--fps", 10, "--timeline", chart)
    assert code == 0 and len(out.splitlines()) == 4 and "marked.gif" in err and "time.json" in err
    with Image.open(film) as marked:
        assert marked.n_frames == 3 and marked.info["duration"] == 100
        assert max(marked.size[0], marked.size[1] - 20) <= 480
    assert "3 frames: 2 tracked from the frame before, 1 found by the detector, 0 lost" in chart.read_text()
    for words in (("--film", tmp_path / "a.mp4"), ("--timeline", tmp_path / "a.gif"), ("--film", film, "--fps", 0)):
        code, out, err = run("track", frames, "--frames", 1, *words)
        assert code == 2 and err.count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("missing.mp4",), "There is no video"),
        ((".", "--out", "way.txt"), "use a .json or .csv file"),
        ((".", "--model", "dslpt-68"), "no tracking branch"),
    ],
)
def test_what_cannot_be_followed_gets_a_sentence(run, tmp_path, words, sentence) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "0.png")
    code, out, err = run("track", *(tmp_path if word == "." else word for word in words))
    assert code == 2 and out == ""
    assert sentence in err and err.count("\n") == 1
