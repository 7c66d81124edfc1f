"""Following a face through frames, and reading frames from files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

import workbench as wb
from workbench.errors import CheckpointError, DataError, ImageError
from workbench.faces import Detection, sample_names, sample_photo
from workbench.faces.film import frames_of, read_frames, sample_film
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel
from workbench.tracking import film_reading, next_region, read_video, track, track_faces

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


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif", "tif"])
def test_animations_are_read_frame_by_frame(tmp_path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    frames = [canvas((20 + 30 * i, 60)) for i in range(4)]
    options = {"webp": {"lossless": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}}.get(suffix, {})
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40, **options)
    found = list(read_video(path))
    assert len(found) == 4
    times = [None] * 4 if suffix == "tif" else [0, 0.04, 0.08, 0.12]
    assert [f.time if f.time is None else round(f.time, 3) for f in read_frames(path)] == times
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


def test_a_film_of_pixels_that_are_not_square_and_frames_unevenly_far_apart(tmp_path) -> None:
    """Encoded for real: 160 x 240 stored at 2:1 is shown as 320 x 240."""
    av = pytest.importorskip("av")
    path, times = tmp_path / "film.mp4", [0, 1, 5]
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 240, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for time in times:
            frame = av.VideoFrame.from_image(canvas((80, 60)).resize((160, 240)))
            frame.pts, frame.time_base = time, Fraction(1, 10)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    found = list(read_frames(path))
    assert [f.photo.size for f in found] == [(320, 240)] * 3
    assert [f.time for f in found] == pytest.approx([0, 0.1, 0.5])


class Several:
    """A detector that finds every red square, the left one first."""

    def __call__(self, photo: Image.Image) -> list[Detection]:
        red = (np.asarray(photo, float)[..., 0] - GREY > 12).any(0)
        edges = np.flatnonzero(np.diff(np.r_[False, red, False].astype(int)))
        rows = np.nonzero(np.asarray(photo, float)[..., 0] - GREY > 12)[0]
        boxes = [(float(a), float(rows.min()), float(b - 1), float(rows.max())) for a, b in edges.reshape(-1, 2)]
        return [Detection(box, box, 1.0) for box in boxes]


def two(first: int | None, second: int | None) -> Image.Image:
    frame = canvas(None)
    for x in (first, second):
        if x is not None:
            frame.paste((220, 40, 40), (x, 90, x + 50, 140))
    return frame


def test_two_faces_keep_their_places_and_a_third_is_not_made_of_one_of_them() -> None:
    places = [(20, None), (24, 250), (28, 246), (None, 242), (40, 238)]
    out = list(track_faces([two(*p) for p in places], Follow(), every=2, detector=Several()))
    assert [[f.state for f in frame] for frame in out] == [
        ["detected"],
        ["tracked"],  # nobody searched yet
        ["tracked", "detected"],
        ["lost", "tracked"],
        ["detected", "tracked"],
    ]
    for (first, second), frame in zip(places[2:], out[2:], strict=True):
        assert frame[0].landmarks is None or abs(frame[0].landmarks[4, 0] - first - 24.5) < 2.5
        assert abs(frame[1].landmarks[4, 0] - second - 24.5) < 2.5
    one = list(track([two(*p) for p in places], Follow(), detector=Several()))
    assert [f.state for f in one] == ["detected", "tracked", "tracked", "detected", "tracked"]


def test_frames_carry_the_film_s_own_times_or_their_file_s_name(tmp_path) -> None:
    frames = [canvas((20 + 30 * i, 60)) for i in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[40, 100, 60])
    assert [round(f.time, 3) for f in read_frames(tmp_path / "a.gif")] == [0, 0.04, 0.14]
    (tmp_path / "b").mkdir()
    for i in (10, 9):
        canvas((i, 20)).save(tmp_path / "b" / f"{i}.png")
    assert [(f.name, f.time) for f in read_frames(tmp_path / "b")] == [("9.png", None), ("10.png", None)]
    files = [(p.name, p.read_bytes()) for p in (tmp_path / "b").iterdir()]
    out = list(track(frames_of(files), Follow(), detector=Searcher()))
    assert [f.name for f in out] == ["9.png", "10.png"]


def test_a_film_is_kept_small_with_what_was_found(tmp_path) -> None:
    told: list[int] = []
    big = [two(20, 250).resize((960, 720)) for _ in range(4)]
    film = film_reading(Follow(), big, "twice", limit=3, progress=told.append, detector=Several())
    assert told == [1, 2, 3] and film.cut and film.size == (960, 720)
    assert film.picture(0).size == (480, 360) and len(film.pictures) == 3
    small = film.small(2)
    np.testing.assert_allclose(small[0].landmarks * 2, film.faces[0][2].landmarks)
    assert small[0].photo.size == (480, 360)
    with pytest.raises(DataError, match="one size"):
        film_reading(Follow(), [canvas((20, 20)), Image.new("RGB", (64, 64))], detector=Searcher())
    with pytest.raises(DataError, match="no frame"):
        film_reading(Follow(), [])


@pytest.mark.slow
def test_the_film_of_samples_has_what_a_tracker_meets() -> None:
    film = film_reading(wb.load_model("atpn-68", device="cpu"), sample_film())
    first, second = ([f.state for f in face] for face in film.faces)
    assert first[0] == first[24] == first[40] == "detected" and first[36:40] == ["lost"] * 4
    assert first[1:24] == ["tracked"] * 23
    assert second[:24] == ["away"] * 24 and second[24] == "detected" and set(second[25:]) == {"tracked"}
