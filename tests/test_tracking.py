"""Following a face through frames, and reading frames from files."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.errors import CheckpointError, ImageError
from workbench.faces import Detection, sample_names, sample_photo
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel
from workbench.tracking import next_region, read_video, track

GREY = 128
SHAPE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]])


@dataclass(frozen=True)
class Config:
    system: str = "follow"
    scheme: str = "five"
    landmarks: int = 5
    input_size: int = 48
    threshold: float = 0.7
    margin: float = 0.25


class Follow(FaceModel):
    """Takes everything that is not grey for the face; sure of it when it fills a part of the crop."""

    def __init__(self) -> None:
        super().__init__()
        self.config = Config()
        self.register_buffer("mean_shape", SHAPE)

    def prepare(self, crops):
        return crops.float()

    def forward(self, images):
        seen = ((images - GREY).abs().amax(1) > 12) & (images.amax(1) > 0)
        y, x = seen[0].nonzero(as_tuple=True)
        if len(x) < 0.1 * seen[0].numel():
            return Alignment(SHAPE[None] * 48, confidence=torch.tensor([0.2]))
        low = torch.stack([x.min(), y.min()]).float()
        size = torch.stack([x.max(), y.max()]).float() - low
        return Alignment((low + SHAPE * size)[None], pose=torch.zeros(1, 3), confidence=torch.tensor([0.9]))


def canvas(at: tuple[int, int] | None, face: Image.Image | None = None) -> Image.Image:
    frame = Image.new("RGB", (320, 240), (GREY,) * 3)
    if at is not None:
        frame.paste(Image.new("RGB", (60, 60), (220, 40, 40)) if face is None else face, at)
    return frame


class Searcher:
    """A detector that finds the red square and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, photo: Image.Image) -> list[Detection]:
        self.calls += 1
        y, x = np.nonzero(np.abs(np.asarray(photo, float) - GREY).max(-1) > 12)
        if not len(x):
            return []
        box = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
        return [Detection(box, box, 1.0)]


def test_the_next_region_grows_by_a_quarter_on_each_side() -> None:
    # 40 wide, 20 high: 10 to the left and to the right, as a square of 60 around (30, 20).
    assert next_region(np.array([[10, 10], [50, 30], [30, 20]])) == (0, -10, 60, 50)
    assert next_region(np.array([[10, 10], [50, 30]]), margin=0) == (10, 0, 50, 40)


def test_a_moving_face_is_detected_once_and_then_tracked() -> None:
    search = Searcher()
    places = [(20 + 9 * i, 60 + 4 * i) for i in range(20)]
    out = list(track((canvas(p) for p in places), Follow(), detector=search))
    assert [f.state for f in out] == ["detected"] + ["tracked"] * 19
    assert [f.searched for f in out] == [True] + [False] * 19
    assert search.calls == 1
    for place, frame in zip(places, out, strict=True):
        assert np.abs(frame.landmarks[4] - (np.array(place) + 29.5)).max() < 2.5
        assert frame.pose.shape == (3,) and frame.confidence == pytest.approx(0.9)
    before, after = out[4], out[5]
    np.testing.assert_allclose(after.region, next_region(before.landmarks))


def test_a_face_that_goes_is_lost_and_found_again() -> None:
    search = Searcher()
    places = [(40, 40), (44, 40), None, None, (230, 150), (226, 150)]
    out = list(track([canvas(p) for p in places], Follow(), detector=search))
    assert [f.state for f in out] == ["detected", "tracked", "lost", "lost", "detected", "tracked"]
    assert search.calls == 4
    gone = out[2]
    assert gone.searched and gone.landmarks is None and gone.pose is None
    assert gone.confidence == pytest.approx(0.2) and gone.region is not None
    assert out[3].region is None and out[3].confidence == 0


def test_a_face_that_jumps_is_found_in_the_same_frame() -> None:
    out = list(track([canvas((20, 20)), canvas((240, 160))], Follow(), detector=Searcher()))
    assert [f.state for f in out] == ["detected", "detected"]
    assert out[1].searched


def test_a_higher_threshold_searches_every_frame() -> None:
    search = Searcher()
    out = list(track([canvas((40, 40))] * 3, Follow(), threshold=0.95, detector=search))
    assert [f.state for f in out] == ["lost"] * 3 and search.calls == 3


def test_the_real_detector_starts_the_loop() -> None:
    face = sample_photo(sample_names()[0])
    side = min(face.size)
    face = face.crop((0, 0, side, side)).resize((160, 160))
    states = [f.state for f in track([canvas((60 + 5 * i, 50), face) for i in range(3)], Follow())]
    assert states == ["detected", "tracked", "tracked"]


def test_a_model_without_a_tracking_branch_is_refused(tiny_model) -> None:
    with pytest.raises(CheckpointError, match="no tracking branch"):
        list(track([canvas((40, 40))], tiny_model, detector=Searcher()))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animations_are_read_frame_by_frame(tmp_path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    frames = [canvas((20 + 30 * i, 60)) for i in range(4)]
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40, **options)
    found = list(read_video(path))
    assert len(found) == 4
    assert all(f.mode == "RGB" and f.size == (320, 240) for f in found)
    np.testing.assert_allclose(np.asarray(found[3], float), np.asarray(frames[3], float), atol=6)


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path) -> None:
    for i in (10, 2, 1):
        canvas((i, 20)).save(tmp_path / f"frame_{i}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    found = [int(np.nonzero(np.asarray(f)[..., 0] > 200)[1].min()) for f in read_video(tmp_path)]
    assert found == [1, 2, 10]


@pytest.mark.filterwarnings("ignore:Image size")
def test_what_cannot_be_read_gets_a_sentence(tmp_path, monkeypatch) -> None:
    with pytest.raises(ImageError, match="no video at"):
        read_video(tmp_path / "nothing.mp4")
    with pytest.raises(ImageError, match="no pictures"):
        read_video(tmp_path)
    broken = tmp_path / "broken.gif"
    broken.write_bytes(b"GIF89a nothing")
    with pytest.raises(ImageError, match="no animation"):
        list(read_video(broken))
    program = tmp_path / "program.gif"
    program.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(ImageError, match="cannot identify"):  # a PostScript picture would start Ghostscript
        list(read_video(program))
    huge = tmp_path / "huge.png"
    Image.new("1", (13000, 13000)).save(huge)
    with pytest.raises(ImageError, match="megapixels"):
        list(read_video(huge))
    film = tmp_path / "film.mp4"
    film.write_bytes(b"0" * 64)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImageError, match="video"):
        read_video(film)


def test_a_film_is_decoded_upright(tmp_path, monkeypatch) -> None:
    class Frame:
        rotation = 90

        def to_image(self) -> Image.Image:
            return canvas((0, 0))

    class Film:
        streams = type("Streams", (), {"video": ("one",)})()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def decode(self, video: int):
            assert video == 0
            return iter([Frame(), Frame()])

    module = type(sys)("av")
    module.open, module.FFmpegError = lambda path: Film(), OSError
    monkeypatch.setitem(sys.modules, "av", module)
    path = tmp_path / "film.mp4"
    path.write_bytes(b"0")
    found = list(read_video(path))
    assert [f.size for f in found] == [(240, 320)] * 2
    assert np.asarray(found[0])[-10, 10, 0] == 220  # the upper left corner is now the lower left one
