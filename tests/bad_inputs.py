"""Pictures that go wrong or look odd, the same for the command line's tests and the pages'."""

import functools
import io
import struct
import zipfile
import zlib
from pathlib import PurePath
from typing import Any, Final

import numpy as np
from PIL import Image

from fer_core.data import sample_portrait

Files = dict[str, bytes]
"""Contents by file name."""

HEAD: Final = (slice(0, 240), slice(100, 340))
"""Rows and columns of the sample portrait that show the head alone."""


@functools.cache
def bad_inputs() -> dict[str, tuple[str, bytes, str]]:
    """Return odd files by the end of their names: (name, content, "error") or, with a face on it, (…, "ok")."""
    files = [("error", *pair) for pair in _unreadable().items()] + [("ok", *pair) for pair in _readable().items()]
    return {PurePath(name).name: (name, content, kind) for kind, name, content in files}


@functools.cache
def good_input() -> bytes:
    """Return an ordinary JPEG with one face."""
    return encoded(_head(), "JPEG")


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture's bytes in a file type that Pillow writes."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@functools.cache
def _head() -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(sample_portrait()[HEAD]))


def _unreadable() -> Files:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("happy/one.jpg", b"x")
    whole = {kind: encoded(_head(), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")}
    picture, jpeg = whole["PNG"], whole["JPEG"]
    return {
        "empty.jpg": b"",
        "notes.jpg": b"This is not a picture at all.\n" * 20,
        "saved.png": b"<!doctype html><html><body><img src='face.jpg'></body></html>",
        "scan.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect/></svg>",
        "figure.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "pictures.zip": archive.getvalue(),
        "random.jpg": np.random.default_rng(0).bytes(5000),
        "zeros.png": bytes(4096),
        "IMG_0001.HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        "film.mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(200),
        "layers.psd": b"8BPS\0\1" + bytes(20),
        "favicon.ico": encoded(_head().resize((32, 32)), "ICO"),
        **{f"half.{kind.lower()}": content[: len(content) // 2] for kind, content in whole.items()},
        "stub.jpg": b"\xff\xd8\xff\xe0",
        "mixed.jpg": b"\xff\xd8\xff" + picture[3:],
        "header.png": picture[:16] + b"\xff\xff\xff\xff" + picture[20:],
        "pixels.png": picture[:60] + bytes(400) + picture[460:],
        "no-pixels.png": png_of(8, 8, []),
        "no-tables.jpg": jpeg[:20] + jpeg[-400:],
        "nowhere.tif": b"II*\0\xff\xff\xff\x7f" + bytes(60),
        "offset.bmp": b"BM" + b"\xff" * 60,
        "pixel.png": encoded(Image.new("RGB", (1, 1)), "PNG"),
        "line.png": encoded(Image.new("RGB", (300, 1)), "PNG"),
        "bomb.png": png_of(60_000, 60_000, [zlib.compress(bytes(100_000))]),
        "poster.ppm": b"P6 20000 10000 255\n",
        "no-width.png": png_of(0, 10, [zlib.compress(bytes(11))]),
    }


def png_of(width: int, height: int, parts: list[bytes], depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG whose header says what it likes, whatever the pixels are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *((b"IDAT", part) for part in parts), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _readable() -> Files:
    head = _head()
    gray = np.asarray(head.convert("L"))
    clear = head.copy()
    clear.putalpha(Image.new("L", head.size, 200))
    palette = head.quantize(64)
    frames = {"save_all": True, "append_images": [head.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]}
    deep = np.asarray(head).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    return {
        "really-a-png.jpg": encoded(head, "PNG"),
        **dict.fromkeys(("no-suffix", "photo.xyz", "PHOTO.JPEG", "лицо 表情 😀.jpg"), good_input()),
        **dict.fromkeys(("../../etc/face.jpg", "<b>[x](y)*.jpg"), good_input()),
        "16-bit-gray.png": encoded(Image.fromarray(gray.astype(np.uint16) * 257), "PNG"),
        "16-bit-colour.png": png_of(deep.shape[1], deep.shape[0], [zlib.compress(rows)], depth=16),
        "integers.tif": encoded(Image.fromarray(gray.astype(np.int32) * 257), "TIFF"),
        "floats.tif": encoded(Image.fromarray(gray.astype(np.float32) / 255), "TIFF"),
        "cmyk.jpg": encoded(head.convert("CMYK"), "JPEG"),
        "gray.jpg": encoded(head.convert("L"), "JPEG"),
        "gray-clear.png": encoded(clear.convert("LA"), "PNG"),
        "clear.png": encoded(clear, "PNG"),
        "palette.gif": encoded(palette, "GIF"),
        "cut-out.png": encoded(palette, "PNG", transparency=0),
        "animated.gif": encoded(head, "GIF", **frames),
        "animated.webp": encoded(head, "WEBP", **frames),
        "modern.avif": encoded(head, "AVIF"),
        "progressive.jpg": encoded(head, "JPEG", progressive=True),
        "damaged-exif.jpg": encoded(head, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\xff"),
        "trailing.jpg": good_input() + b"rubbish" * 50,
        **{f"turned-{orientation}.jpg": _turned(orientation) for orientation in range(1, 9)},
    }


def _turned(orientation: int) -> bytes:
    """Return a JPEG stored turned, whose EXIF orientation puts it upright again."""
    turn = Image.Transpose
    undo = [turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM, turn.TRANSPOSE]
    undo += [turn.ROTATE_90, turn.TRANSVERSE, turn.ROTATE_270]
    head = _head() if orientation == 1 else _head().transpose(undo[orientation - 2])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(head, "JPEG", exif=exif)
