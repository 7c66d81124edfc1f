"""Every kind of picture becomes one upright RGB photograph, or one sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from workbench.errors import ImageError
from workbench.faces.image import BACKGROUND, MAX_PIXELS, WORKING_SIDE, load_image, working_scale


def gradient(width: int = 48, height: int = 32) -> Image.Image:
    """Red grows to the right, green downwards, blue is 60."""
    x, y = np.meshgrid(np.linspace(0, 240, width), np.linspace(0, 240, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 60)], -1).astype(np.uint8))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def difference(a: Image.Image, b: Image.Image) -> float:
    assert a.size == b.size
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


def refused(source: Any) -> str:
    with pytest.raises(ImageError) as caught:
        load_image(source)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 200
    return message


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF"])
def test_formats_from_bytes_file_and_path(form: str, tmp_path: Path) -> None:
    data = encoded(gradient(), form)
    path = tmp_path / "picture"
    path.write_bytes(data)
    for source in (data, bytearray(data), io.BytesIO(data), path, str(path)):
        photo = load_image(source)
        assert photo.mode == "RGB"
        assert difference(photo, gradient()) < 4
    assert working_scale(photo) == (1.0, 1.0)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(form: str, orientation: int) -> None:
    upright = gradient()
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),  # the camera was turned: the viewer turns back by 270
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load_image(encoded(stored, form, exif=exif))
    assert difference(photo, upright) < 4
    assert "exif" not in photo.info


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_exif_block_does_not_cost_the_picture() -> None:
    assert load_image(encoded(gradient(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")).size == (48, 32)


def test_alpha_is_laid_on_neutral_grey() -> None:
    cut_out = gradient().convert("RGBA")
    alpha = np.full((32, 48), 255, np.uint8)
    alpha[:, :10] = 0
    cut_out.putalpha(Image.fromarray(alpha))
    for source in (encoded(cut_out, "PNG"), encoded(cut_out, "WEBP", lossless=True), cut_out, np.asarray(cut_out)):
        photo = load_image(source)
        assert photo.getpixel((3, 3)) == BACKGROUND
        assert photo.getpixel((30, 20)) == gradient().getpixel((30, 20))


@pytest.mark.parametrize("mode", ["La", "RGBa", "LA", "PA"])
def test_rarer_alpha_modes(mode: str) -> None:
    steps = {"La": ["LA", "La"], "RGBa": ["RGBA", "RGBa"], "LA": ["LA"], "PA": ["PA"]}[mode]
    image = gradient()
    for step in steps:
        image = image.convert(step)
    assert load_image(image).mode == "RGB"


def test_palette_with_and_without_transparency() -> None:
    palette = gradient().quantize(64)
    assert difference(load_image(encoded(palette, "PNG")), gradient()) < 12
    index = palette.getpixel((3, 3))
    photo = load_image(encoded(palette, "PNG", transparency=index))
    assert photo.getpixel((3, 3)) == BACKGROUND


def test_greyscale_and_bilevel() -> None:
    grey = gradient().convert("L")
    assert difference(load_image(encoded(grey, "PNG")), grey.convert("RGB")) == 0
    assert set(np.unique(np.asarray(load_image(gradient().convert("1"))))) == {0, 255}


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_is_scaled_not_clipped(form: str) -> None:
    values = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    for source in (encoded(Image.fromarray(values), form), Image.fromarray(values), values, values.astype(">u2")):
        grey = np.asarray(load_image(source))[..., 0].astype(float)
        assert np.abs(grey - values / 257).max() <= 0.51


def test_arrays_and_tensors() -> None:
    import torch

    colour = np.asarray(gradient())
    variants: list[Any] = [
        colour,
        colour.astype(np.int64),
        colour.astype(np.float32),
        colour.astype(np.float64) / 255,
        np.moveaxis(colour, 2, 0),
        torch.from_numpy(np.moveaxis(colour, 2, 0).copy()).float() / 255,
        colour[::-1][::-1],
    ]
    for array in variants:
        assert difference(load_image(array), gradient()) == 0
    grey = load_image(colour[..., :1])
    assert difference(grey, load_image(colour[..., 0])) == 0
    assert difference(grey, load_image(colour[None, ..., 0])) == 0
    assert np.asarray(load_image(np.ones((20, 20), bool))).min() == 255


@pytest.mark.parametrize(
    "array",
    [
        np.full((32, 32, 3), np.nan),
        np.where(np.eye(32) > 0, np.inf, 0.5),
        np.full((32, 32), -1.0),
        np.full((32, 32), 300.0),
        np.full((32, 32), 70000),
        np.full((32, 32), 1j),
        np.zeros((32, 32, 2)),
        np.zeros((1, 3, 32, 32)),
        np.zeros(32),
        np.zeros((0, 0, 3)),
        np.array([["a"] * 32] * 32),
    ],
)
def test_unusable_arrays_are_refused(array: np.ndarray) -> None:
    refused(array)


@pytest.mark.parametrize("source", [None, 3, [[1, 2], [3, 4]], {"image": 1}])
def test_other_objects_are_refused(source: Any) -> None:
    assert "must be" in refused(source)


def without_adobe_marker(data: bytes) -> bytes:
    start = data.index(b"\xff\xee")
    (length,) = struct.unpack(">H", data[start + 2 : start + 4])
    return data[:start] + data[start + 2 + length :]


def test_cmyk_with_and_without_adobe_inversion() -> None:
    inks = gradient().convert("CMYK")
    assert difference(load_image(encoded(inks, "JPEG", quality=95)), gradient()) < 4
    assert difference(load_image(encoded(inks, "TIFF")), gradient()) < 1
    plain = without_adobe_marker(encoded(ImageChops.invert(inks), "JPEG", quality=95))
    assert difference(load_image(plain), gradient()) < 4


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation(form: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ((200, 30, 30), (30, 200, 30))]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
    red, green, _ = load_image(data).getpixel((20, 15))  # type: ignore[misc]
    assert red > 190
    assert green < 40


def test_sentences_for_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    assert "folder" in refused(tmp_path)
    assert "no file" in refused(tmp_path / "missing.jpg")
    assert "empty" in refused(tmp_path / "empty.jpg")
    assert "not a picture" in refused(tmp_path / "notes.txt")
    assert "empty" in refused(b"")
    assert "HEIC" in refused(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    assert "binary" in refused(io.StringIO("text"))
    refused("bad\x00name")
    refused(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n")
    closed = io.BytesIO(b"x")
    closed.close()
    refused(closed)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [7300, 11000, 60000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    assert side * side > MAX_PIXELS
    assert "scale it down" in refused(png_header(side, side))


def test_a_truncated_legal_header_is_damaged() -> None:
    assert "damaged" in refused(png_header(100, 100))


@pytest.mark.parametrize("size", [(15, 100), (100, 15), (1, 1)])
def test_tiny_pictures_are_refused(size: tuple[int, int]) -> None:
    assert "at least 16" in refused(Image.new("RGB", size))
    assert "at least 16" in refused(encoded(Image.new("RGB", size), "PNG"))


def test_a_large_photo_is_scaled_to_the_working_size_and_remembers_it() -> None:
    stored = Image.new("L", (6000, 1500), 90)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = load_image(encoded(stored, "JPEG", exif=exif))
    assert photo.size == (1024, WORKING_SIDE)
    assert working_scale(photo) == pytest.approx((1024 / 1500, 4096 / 6000))
    assert abs(photo.getpixel((500, 2000))[0] - 90) <= 1  # type: ignore[index]
    refused(encoded(Image.new("L", (9000, 30)), "PNG"))  # too narrow once it is scaled


def test_the_caller_keeps_his_picture() -> None:
    own = gradient()
    own.info["note"] = "mine"
    load_image(own)
    assert own.info == {"note": "mine"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_damaged_bytes_give_a_picture_or_an_image_error(form: str) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8))
    data = encoded(noise, form)
    for _ in range(60):
        cut = data[: rng.integers(0, len(data))]
        bent = bytearray(data)
        for place in rng.integers(0, len(data), 6):
            bent[place] = int(rng.integers(0, 256))
        for damaged in (cut, bytes(bent)):
            with contextlib.suppress(ImageError):
                assert load_image(damaged).mode == "RGB"


@pytest.mark.parametrize("kind", ["text", "profile"])
def test_a_png_whose_notes_are_larger_than_the_picture_is_read(kind: str) -> None:
    notes = PngInfo()
    if kind == "text":
        notes.add_text("workflow", "x" * 1_500_000, zip=True)
    data = encoded(gradient(), "PNG", pnginfo=notes, icc_profile=b"\0" * 2_000_000 if kind == "profile" else None)
    assert difference(load_image(data), gradient()) == 0
    assert "damaged" in refused(data[: len(data) - 40]) or "not a picture" in refused(data[:60])
