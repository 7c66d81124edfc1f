"""Any picture in, one upright RGB photograph out.

Every way to hand over a picture (a path, bytes, an open file, a PIL image, an array, a tensor) ends in the same
kind of PIL image: mode RGB, upright, first frame, nothing transparent, longest side at most `WORKING_SIDE`. What
cannot be read raises `ImageError` with one sentence, never another exception.
"""

from __future__ import annotations

import io
import os
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageChops

from workbench.errors import ImageError
from workbench.files import expanded

MAX_PIXELS = 50 * 2**20
"""Pixels a picture may have (52.4 million), read from its header before anything is decoded."""
WORKING_SIDE = 4096
"""Longest side, in pixels, of the photograph that is kept; larger ones are scaled down while they are decoded."""
MIN_SIDE = 16
"""Shortest side, in pixels, that can still hold a face."""
BACKGROUND = (128, 128, 128)
"""What transparent pixels are laid on: middle grey, neither a dark nor a light edge around a cut-out face."""
SCALE_KEY = "workbench_scale"
"""Entry of a photograph's ``info``: its own width and height, then those of the upright original."""

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "JPEG2000")  # none runs a program
_READABLE = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or JPEG 2000"
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_TOLERANCE = 0.01  # of the range: resampling overshoots a little


def load_image(source: Any) -> Image.Image:
    """Read a picture as an upright RGB `PIL.Image`.

    `source`: a path; the file's bytes; an open binary file; a PIL image; an array or CPU tensor of shape (H, W),
    (H, W, 1 | 3 | 4) or (1 | 3 | 4, H, W).

    - Orientation: the EXIF tag is applied, all eight values.
    - Transparency: laid on middle grey (`BACKGROUND`).
    - Depth: 16-bit greys are divided by 257, so white stays white and nothing is clipped; unsigned 16-bit arrays too.
      Wider integers (and PIL's modes I) count as 8-bit up to 255 and as 16-bit up to 65535.
    - Floats: 0..1 when nothing exceeds 1, else 0..255; NaN, infinities and other ranges are refused.
    - Animations and multi-page files: the first frame. A PIL image is taken at the frame it stands on.
    - Size: at most `MAX_PIXELS`, at least `MIN_SIDE` a side. A picture whose longest side exceeds `WORKING_SIDE` is
      scaled down to it; `working_scale` tells by how much.

    Raises `ImageError`.
    """
    if isinstance(source, Image.Image):
        check_size(*source.size)
        width, height = working_scale(source)
        return _finish(source, (round(source.width / width), round(source.height / height)))
    if isinstance(source, (str, os.PathLike)):
        return _decode(_read_path(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(bytes(source))
    if hasattr(source, "read"):
        return _decode(_read_file(source))
    if hasattr(source, "__array__"):
        image = _from_array(source)
        return _finish(image, image.size)
    raise ImageError(
        f"A picture must be a path, bytes, an open file, a PIL image or an array, not {type(source).__name__}."
    )


def working_scale(photo: Image.Image) -> tuple[float, float]:
    """Working pixels per pixel of the upright original, along x and y: (1, 1) unless `load_image` scaled it down."""
    width, height, *original = photo.info.get(SCALE_KEY, (0, 0, 1, 1))
    return (width / original[0], height / original[1]) if photo.size == (width, height) else (1.0, 1.0)


def original_size(photo: Image.Image) -> tuple[int, int]:
    """Width and height of the upright original of a picture from `load_image`."""
    across, down = working_scale(photo)
    return round(photo.width / across), round(photo.height / down)


def _read_path(source: str | os.PathLike[str]) -> bytes:
    path = expanded(source)
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise ImageError(f"'{path}' is no file: name a picture.")  # a pipe would be waited for
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no file '{path}': check the path.") from None
    except IsADirectoryError:
        raise ImageError(f"'{path}' is a folder: name one picture in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"'{path}' cannot be opened ({reason}).") from error


def _read_file(source: IO[bytes]) -> bytes:
    try:
        if hasattr(source, "seek"):
            source.seek(0)
        data = source.read()
    except Exception as error:
        raise ImageError(f"The open file cannot be read ({error}).") from error
    if not isinstance(data, bytes):
        raise ImageError("The open file gives text: open it in binary mode ('rb').")
    return data


def _decode(data: bytes) -> Image.Image:
    """The picture in a file's bytes; its header is checked before any pixel is decoded."""
    if not data:
        raise ImageError("The file is empty: choose a picture.")
    try:
        image = Image.open(io.BytesIO(data), formats=formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except Exception as error:
        bare = _without_notes(data)
        if bare is not None:
            return _decode(bare)
        raise ImageError(_unreadable(data)) from error
    size = image.size
    check_size(*size)
    longest = max(size)
    if longest > WORKING_SIDE:  # JPEG decodes straight to 1/2, 1/4 or 1/8, never below the size asked for
        width, height = (max(1, side * WORKING_SIDE // longest) for side in size)
        image.draft(None, (width, height))
    return _finish(image, size)


_PNG = b"\x89PNG\r\n\x1a\n"
_NOTES = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")


def _without_notes(data: bytes) -> bytes | None:
    """A PNG without its texts and colour profile, which may be too large for the decoder; None when it has none."""
    if not data.startswith(_PNG):
        return None
    out, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in _NOTES:
            out.append(data[at:end])
        at = end
    bare = b"".join(out)
    return bare if len(bare) < len(data) else None


@cache
def formats() -> tuple[str, ...]:
    """What may be opened and this Pillow can open (AVIF is not in every build)."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@cache
def endings() -> tuple[str, ...]:
    """The endings, in lower case, of the files that can be read, the most usual first; the decoder's own list."""
    readable = (*formats(), "MPO")  # a JPEG that holds several, read as one
    known = (ending for ending, name in Image.registered_extensions().items() if name in readable)
    return tuple(dict.fromkeys((".jpg", ".jpeg", ".png", *sorted(known))))


def is_picture(path: Path) -> bool:
    """Whether a file's name is that of a picture, and not one that a system hides (``._a.jpg``)."""
    return path.suffix.lower() in endings() and not hidden(path)


def hidden(path: Path) -> bool:
    """Whether a file, or a folder it lies in, is one that systems leave beside a person's own: ``.name``,
    ``__MACOSX``."""
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in path.parts)


def _finish(image: Image.Image, original: tuple[int, int]) -> Image.Image:
    """Decode, turn upright, flatten to RGB, scale to the working size; `original` is the size before any scaling."""
    try:
        image.load()
        check_size(*image.size)
        orientation = _orientation(image)
        rgb = to_rgb(image)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except Exception as error:  # decoders raise many kinds on damaged files
        raise ImageError("The picture is damaged or cut short: save or download it again.") from error
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
        original = original[::-1] if orientation >= 5 else original
    longest = max(rgb.size)
    if longest > WORKING_SIDE:
        size = (round(rgb.width * WORKING_SIDE / longest), round(rgb.height * WORKING_SIDE / longest))
        if min(size) < MIN_SIDE:
            raise ImageError(f"The picture is {original[0]} x {original[1]} pixels: too long and thin for a face.")
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    rgb.info = {SCALE_KEY: (*rgb.size, *original)}
    return rgb


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block must not cost the picture
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as 8-bit RGB by the rules of `load_image`, not turned."""
    mode = image.mode
    if mode == "F" or mode.startswith("I"):
        return _from_array(np.asarray(image))
    if mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        # Pillow assumes Adobe's inverted inks in every CMYK JPEG; without the marker they are stored as they are.
        return ImageChops.invert(image).convert("RGB")
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        cut_out = (image.convert("LA") if mode == "La" else image).convert("RGBA")
        ground = Image.new("RGBA", cut_out.size, (*BACKGROUND, 255))
        return Image.alpha_composite(ground, cut_out).convert("RGB")
    return image.convert("RGB")


def _from_array(source: Any) -> Image.Image:
    """(H, W), (H, W, C) or (C, H, W) with 1, 3 or 4 channels as RGB."""
    try:
        array = np.asarray(source)
    except Exception as error:
        raise ImageError(f"The array cannot be read ({error}).") from error
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ImageError(
            f"An array of shape {np.shape(source)} is no picture: give one picture as (H, W), (H, W, 3), (H, W, 4) "
            "or (3, H, W)."
        )
    check_size(array.shape[1], array.shape[0])
    return to_rgb(Image.fromarray(np.ascontiguousarray(_to_uint8(array))))


def _to_uint8(array: np.ndarray) -> np.ndarray:
    """Values of any numeric kind as 0..255 by the rules of `load_image`."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "uif":
        raise ImageError(f"An array of {array.dtype} is no picture: give integers or floats.")
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError("The array holds NaN or infinite values: replace them before loading it as a picture.")
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        top = 65535.0
    elif array.dtype.kind == "f":
        top = 1.0 if high <= 1.0 + _TOLERANCE else 255.0
    else:
        top = 255.0 if high <= 255 else 65535.0
    if low < -_TOLERANCE * top or high > (1.0 + _TOLERANCE) * top:
        raise ImageError(
            f"The array's values run from {low:.4g} to {high:.4g}: a picture needs 0..1 or 0..255, or 16-bit integers."
        )
    return np.clip(np.rint(array.astype(np.float32) * (255.0 / top)), 0, 255).astype(np.uint8)


def check_size(width: int, height: int) -> None:
    """Raises ImageError for a picture that is too large, or too small, to be opened."""
    if width * height > MAX_PIXELS:
        raise _too_large(width * height)
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"The picture is {width} x {height} pixels: both sides need at least {MIN_SIDE}.")


def _too_large(pixels: int | None = None) -> ImageError:
    size = f"has {pixels / 1e6:.0f} megapixels" if pixels else "has too many megapixels"
    return ImageError(f"The picture {size}: at most {MAX_PIXELS / 1e6:.0f} can be opened, so scale it down.")


def _unreadable(data: bytes) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "HEIC pictures cannot be read: save it as JPEG or PNG."
    return f"This is not a picture that can be read: use {_READABLE}."
