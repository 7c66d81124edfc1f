"""A face: from a photograph to a crop and back, and every way to move the box."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from workbench.errors import ImageError, NoFaceError
from workbench.faces import Detection, Face, load_face, sample_photo
from workbench.faces.crop import tight_box


class TwoFaces:
    """Two boxes; what the detector drew is 4 pixels larger on every side."""

    name = "two"

    def detect(self, photo: Image.Image) -> list[Detection]:
        small, large = (60.0, 60.0, 90.0, 90.0), (10.0, 10.0, 60.0, 60.0)
        return [Detection(b, (b[0] - 4, b[1] - 4, b[2] + 4, b[3] + 4), s) for b, s in ((small, 3.0), (large, 1.0))]


PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8))


def two(**options: object) -> Face:
    return load_face(PHOTO, detector=TwoFaces(), **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_astronaut_from_any_source() -> None:
    photo = sample_photo("astronaut")
    data = io.BytesIO()
    photo.save(data, "PNG")
    faces = [load_face(source) for source in (photo, np.asarray(photo), data.getvalue(), data)]
    assert all(face.box == faces[0].box for face in faces)
    assert len(faces[0].boxes) == 1
    assert faces[0].crop().shape == (256, 256, 3)
    assert faces[0].crop().dtype == np.uint8
    assert faces[0].name == "photograph"


def test_several_faces_the_most_prominent_first() -> None:
    face = two()
    assert face.index == 0
    assert face.boxes == ((10, 10, 60, 60), (60, 60, 90, 90))
    assert face.box == face.boxes[0]
    assert face.detected == (6, 6, 64, 64)
    assert face.scores == (1.0, 3.0)
    other = face.with_index(1)
    assert other.box == face.boxes[1] == two(index=1).box
    assert other.detected == (56, 56, 94, 94)
    for index in (2, -1):
        with pytest.raises(NoFaceError, match="2 faces"):
            face.with_index(index)


def test_nobody_there() -> None:
    with pytest.raises(NoFaceError, match="draw a box"):
        load_face(np.full((80, 80, 3), 90, np.uint8))


def test_a_given_box_needs_no_detector() -> None:
    face = load_face(PHOTO, box=(20, 30, 60, 60), detector="there is none")
    assert face.box == (20, 30, 60, 60)
    assert face.boxes == (face.box,)
    assert face.detected is None
    assert face.scores == ()
    assert face.side == pytest.approx(48)
    assert face.centre == pytest.approx([40, 45])
    with pytest.raises(NoFaceError, match="no faces"):
        face.with_index(0)
    for box in ((60, 30, 20, 60), (500, 500, 600, 600), (np.nan, 0, 1, 1)):
        with pytest.raises(ImageError):
            load_face(PHOTO, box=box)


def test_points_go_to_the_crop_and_back() -> None:
    face = two(factor=1.37)
    points = np.random.default_rng(1).uniform(-50, 200, (4, 30, 2))
    for size in (64, 256):
        assert np.abs(face.to_photo(face.to_crop(points, size), size) - points).max() < 1e-6
    assert face.to_crop(face.centre) == pytest.approx([128, 128])
    assert face.to_crop(face.centre, 100) == pytest.approx([50, 50])
    assert face.affine_to(256) @ [*face.centre, 1] == pytest.approx([128, 128])


def test_box_factor_and_refinement() -> None:
    face = two()
    drawn = face.with_box((20, 20, 50, 40))
    assert drawn.box == (20, 20, 50, 40)
    assert drawn.detected is None
    assert drawn.boxes == face.boxes
    assert drawn.with_index(0) == face
    assert face.with_factor(2).side == pytest.approx(100)
    for factor in (0, -1, float("nan"), 9):
        with pytest.raises(ImageError, match="factor"):
            face.with_factor(factor)
    landmarks = np.array([[22, 30], [48, 31], [35, 60], [np.nan, np.nan]])
    refined = face.refine(landmarks)
    assert refined.box == tight_box(landmarks)
    assert refined.to_crop([35, 45]) == pytest.approx([128, 128])


def test_a_painted_crop_replaces_the_pixels_only() -> None:
    face = two()
    painted = face.with_crop(np.full((64, 64, 3), 7, np.uint8))
    assert (painted.crop(64) == 7).all()
    assert (painted.crop(32) == 7).all()
    assert (painted.affine_to(64) == face.affine_to(64)).all()
    assert (painted.with_factor(1.3).crop(64) != 7).any()
    assert (painted.with_box(face.box).crop(64) == face.crop(64)).all()
    assert (painted.with_index(1).crop(64) == face.with_index(1).crop(64)).all()
    assert painted.painted > 0.9
    assert face.painted == painted.with_box(face.box).painted == 0
    with pytest.raises(ImageError, match="square"):
        face.with_crop(np.zeros((3, 4, 3), np.uint8))


def test_a_painted_crop_is_the_face_s_own() -> None:
    face = load_face(sample_photo("astronaut"), box=(170, 60, 270, 160))
    pixels = face.crop(64).copy()
    painted = face.with_crop(pixels)
    pixels[...] = 0
    assert (painted.crop(64) == face.crop(64)).all()


def test_a_very_large_photo_remembers_its_original_pixels() -> None:
    stored = io.BytesIO()
    Image.new("L", (6144, 1536), 90).save(stored, "JPEG")
    face = load_face(stored, box=(100, 100, 300, 300))
    assert face.photo.size == (4096, 1024)
    assert face.to_original([[0, 0], [99.5, 1]]) == pytest.approx(np.array([[0.25, 0.25], [149.5, 1.75]]))
    assert two().to_original([3, 4]) == pytest.approx([3, 4])


@pytest.mark.slow
def test_results_and_boxes_of_a_very_large_photo_are_in_its_own_pixels() -> None:
    small = load_face(sample_photo("astronaut"), box=(170, 60, 270, 160))
    stored = io.BytesIO()
    sample_photo("astronaut").resize((5120, 5120)).save(stored, "PNG")
    large = load_face(stored, box=[10 * (v + 0.5) - 0.5 for v in (170, 60, 270, 160)])
    assert large.photo.size == (4096, 4096)
    assert large.box == pytest.approx([8 * (v + 0.5) - 0.5 for v in small.box])
    assert large.original_box == pytest.approx([10 * (v + 0.5) - 0.5 for v in small.box])
    assert large.original_size == (5120, 5120)
    assert small.original_size == small.photo.size
    assert large.original_side == pytest.approx(10 * small.side)
    again = load_face(large.photo, box=large.original_box)
    assert again.original_box == pytest.approx(large.original_box)
    assert (again.affine_to(64) @ [1000, 2000, 1]) == pytest.approx(small.affine_to(64) @ [99.55, 199.55, 1])
    part = load_face(large.photo.crop((0, 0, 2000, 2000)), box=(10, 10, 90, 90))
    assert part.original_box == (10, 10, 90, 90)


def test_paint_leaves_every_other_pixel_alone() -> None:
    face = load_face(sample_photo("astronaut"), box=(170, 60, 270, 160))
    plain = face.crop(640)
    assert (face.with_crop(plain).crop(128) == face.crop(128)).all()
    plain[320:480, 160:480] = 9
    painted = face.with_crop(plain).crop(128)
    assert (painted[66:94, 34:94] == 9).all()
    untouched = np.ones((128, 128), bool)
    untouched[62:98, 30:98] = False
    assert (painted == face.crop(128))[untouched].all()
    with pytest.raises(ImageError, match="uint8"):
        face.with_crop(plain / 255)
