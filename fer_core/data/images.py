"""Read pictures of any kind as upright 8-bit RGB, and the built-in sample portrait."""

from __future__ import annotations

import contextlib
import io
import re
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow

from fer_core.types import FerError, Image

IMAGE_SUFFIXES: Final[tuple[str, ...]] = (
    ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".pgm",
)  # fmt: skip
"""File name extensions of the readable types, for file pickers. `read_image` checks the content instead."""

MAX_PIXELS: Final[int] = 51_000_000
"""Larger pictures are rejected before they are decoded. Phones make up to 50.4 megapixels, which are 151 MB as RGB."""

MAX_WEBP_PIXELS: Final = 40_000_000  # WebP's decoder needs more memory than others, 16 bytes a pixel
MAX_SCANS: Final = 50
"""A progressive JPEG takes time for each of its scans. libjpeg, which most programs use, writes 10, and 18 for CMYK."""

MIN_SIDE: Final = 2  # pixels; smaller pictures are tracking pixels
SAMPLE_CREDIT: Final = "Eileen Collins, NASA, public domain (from scikit-image)"

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
_RGB: Final = "A picture must be an RGB array of shape (height, width, 3) and type uint8. Convert the picture first."
_EXPECTED: Final = "Expected a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or PPM picture."
_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_HEIC: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_JPEG_SEGMENT: Final = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")  # none of these is in the data of a scan
_STRIP: Final = 512  # rows that are converted at once, so that no second copy of a large picture is made
_opening = threading.Lock()

# Pictures with damaged EXIF data are still readable, so Pillow's warning is not useful in the log.
warnings.filterwarnings("ignore", message="Corrupt EXIF data", category=UserWarning)


def read_image(
    source: bytes | Path | str | Pillow.Image, name: str | None = None, *, max_pixels: float = MAX_PIXELS
) -> Image:
    """Read a picture of any type as RGB, `(height, width, 3)` uint8 in its full size.

    The EXIF orientation is applied, 16-bit values are scaled to 8 bits, CMYK and palettes are converted, transparent
    areas become white, and the first frame of an animation is used. The type is recognised by the content.

    Args:
        source: the file's content, its path, or a picture that Pillow has opened.
        name: of the picture in messages; by default the file name, or "The image".
        max_pixels: a larger picture is refused; at most `MAX_PIXELS`.

    Raises:
        FerError: the source is missing, a folder, empty, damaged, not a readable picture, smaller than 2 x 2 pixels
            or larger than 51 megapixels (WebP 40) or `max_pixels`, or a JPEG with more than 50 scans.
    """
    if isinstance(source, Pillow.Image):
        return _decoded(source, name or "The image", max_pixels)
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), name or "The image", max_pixels)
    path = Path(source)
    shown = name or (path.name or str(path))[:80]
    try:
        if path.is_dir():
            raise FerError(f"{shown} is a folder. Expected one image file.")
        stream = path.open("rb")
    except FerError:
        raise
    except FileNotFoundError as error:
        raise FerError(f"{shown} does not exist. Check the path. Received: {path}") from error
    except PermissionError as error:
        raise FerError(f"{shown} may not be read. Give yourself permission to read the file, or copy it.") from error
    except (OSError, ValueError) as error:
        raise FerError(f"{shown!r} cannot be opened as a file. Expected the path of an image file.") from error
    with stream:
        return _read(stream, shown, max_pixels)


def require_rgb(image: Image) -> Image:
    """Return `image` as a contiguous array; raise a `FerError` if it is not `(height, width, 3)` uint8, or empty."""
    if not isinstance(image, np.ndarray):
        raise FerError(f"{_RGB} Received: {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise FerError(f"{_RGB} Received: shape {image.shape}, {image.dtype}")
    return np.ascontiguousarray(image)


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture scaled to `size` (width, height): by area averaging if it becomes smaller, else bilinear."""
    width, height = size
    shrinks = image.shape[0] >= height and image.shape[1] >= width
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


def sample_portrait() -> Image:
    """Return the portrait of the astronaut Eileen Collins from scikit-image, `(512, 512, 3)` RGB uint8."""
    return _portrait().copy()


@cache
def _portrait() -> Image:
    file = resources.files("skimage") / "data" / "astronaut.png"  # skimage.data imports much of SciPy
    return np.asarray(Pillow.open(io.BytesIO(file.read_bytes())), np.uint8)


def _read(stream: BinaryIO, shown: str, max_pixels: float) -> Image:
    try:
        head = stream.read(16)
        if not head:
            raise FerError(f"{shown} is empty (0 bytes). {_EXPECTED}")
        stream.seek(0)
        if head.startswith(b"\xff\xd8"):
            _check_scans(stream.read(), shown)
            stream.seek(0)
        # Pillow warns above 89 megapixels, which `_check_size` refuses. Warning filters are global, hence the lock.
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            opened = Pillow.open(stream, formats=_FORMATS)
        with opened as picture:
            return _decoded(picture, shown, max_pixels)
    except FerError:
        raise
    except Pillow.DecompressionBombError as error:
        raise FerError(_too_large(shown, "far more", min(max_pixels, MAX_PIXELS))) from error
    except UnidentifiedImageError as error:
        raise FerError(_unknown(head, shown)) from error
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise FerError(_damaged(shown)) from error


def _decoded(picture: Pillow.Image, shown: str, max_pixels: float) -> Image:
    try:
        _check_size(picture, shown, min(max_pixels, MAX_PIXELS))
        picture.load()
        return _as_rgb(picture)
    except FerError:
        raise
    except MemoryError as error:
        raise FerError(f"{shown} does not fit into memory. Make the picture smaller and try again.") from error
    except Exception as error:  # damaged files make Pillow's decoders raise nearly anything
        raise FerError(_damaged(shown)) from error


def _check_size(picture: Pillow.Image, shown: str, most: float) -> None:
    width, height = picture.size
    most = min(most, MAX_WEBP_PIXELS) if picture.format == "WEBP" else most
    if width * height > most:
        raise FerError(_too_large(shown, f"{width} x {height} pixels", most))
    if min(width, height) < MIN_SIDE:
        expected = f"Expected at least {MIN_SIDE} x {MIN_SIDE} pixels"
        raise FerError(f"{shown} is too small to show anything. {expected}. Received: {width} x {height}")


def _check_scans(content: bytes, shown: str) -> None:
    """Refuse a JPEG with very many scans, each of which takes about as long to decode as a whole picture."""
    scans, position = 0, 2
    while segment := _JPEG_SEGMENT.search(content, position):
        kind = segment[1][0]
        if kind == 0xD9:  # the end; a second picture may follow
            return
        scans += kind == 0xDA
        if scans > MAX_SCANS:
            raise FerError(
                f"{shown} is a JPEG that would take minutes to decode. Expected at most {MAX_SCANS} scans, as cameras "
                "and editors write them; open it in a viewer and save it anew. Received: more"
            )
        start = segment.end()
        position = start + int.from_bytes(content[start : start + 2])  # the length counts itself


def _as_rgb(picture: Pillow.Image) -> Image:
    wide = picture.mode in ("I", "F") or picture.mode.startswith("I;16")
    factor = 255.0 / _full_range(picture) if wide else 1.0
    image = np.empty((picture.height, picture.width, 3), np.uint8)
    for rows, strip in _strips(picture):
        if wide:
            image[rows] = np.rint(_gray(strip) * factor)[:, :, None]
        elif strip.has_transparency_data:
            white = Pillow.new("RGBA", strip.size, "white")
            white.alpha_composite(strip.convert("RGBA"))
            image[rows] = np.asarray(white.convert("RGB"))
        else:
            image[rows] = np.asarray(strip.convert("RGB"))
    return _turned(image, picture)


def _strips(picture: Pillow.Image) -> Iterator[tuple[slice, Pillow.Image]]:
    """Yield some rows of a picture after the other."""
    for top in range(0, picture.height, _STRIP):
        bottom = min(top + _STRIP, picture.height)
        yield slice(top, bottom), picture.crop((0, top, picture.width, bottom))


def _turned(image: Image, picture: Pillow.Image) -> Image:
    """Apply a picture's EXIF orientation to its pixels."""
    orientation = 1
    with contextlib.suppress(Exception):  # the EXIF data may be damaged
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    if orientation in (5, 6, 7, 8):  # rows become columns
        image = image.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def _gray(strip: Pillow.Image) -> NDArray[np.float32]:
    """Return the gray values of a type wider than 8 bits, without negative ones and NaN."""
    return np.nan_to_num(np.asarray(strip).astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)


def _full_range(picture: Pillow.Image) -> float:
    """Return the value that becomes 255."""
    if picture.mode.startswith("I;16"):
        return 65535.0
    # 32-bit integers and floats have no fixed range: use the smallest usual one that contains the values
    peak = max(float(_gray(strip).max()) for _, strip in _strips(picture))
    ranges = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
    return next((limit for limit in ranges if peak <= limit), peak)


def _unknown(head: bytes, shown: str) -> str:
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return f"{shown} is a HEIC photo, which cannot be read here. Export or share it as JPEG and try again."
    if head.startswith(_SIGNATURES):
        return _damaged(shown)
    return f"{shown} is not an image, or of a type that cannot be read. {_EXPECTED}"


def _damaged(shown: str) -> str:
    return f"{shown} is damaged or cut off: its pixels cannot be decoded. Open it in a viewer and save it anew."


def _too_large(shown: str, received: str, most: float) -> str:
    return (
        f"{shown} is too large. Expected at most {most / 1e6:g} megapixels; make it smaller and try again. "
        f"Received: {received}"
    )
