"""Pictures that go wrong or look odd, the same for the command line's tests and the pages'."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from typing import Any, Final

import numpy as np
from PIL import Image

from fer_core.data import sample_portrait

BadInputs = dict[str, tuple[str, bytes, str]]
"""`{what it is: (file name, content, "error" or "ok")}`: unreadable in one sentence, or read like any picture."""

Files = dict[str, tuple[str, bytes]]

HEAD: Final = (slice(0, 240), slice(100, 340))
"""Rows and columns of the sample portrait that show the head alone."""


@functools.cache
def bad_inputs() -> BadInputs:
    """Return at least 40 odd files: half of them unreadable, half readable with a face on each."""
    unreadable = {**_not_pictures(), **_damaged(), **_beyond_limits()}
    kinds = ((unreadable, "error"), (_odd_but_readable(), "ok"))
    return {what: (name, content, kind) for files, kind in kinds for what, (name, content) in files.items()}


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


def _not_pictures() -> Files:
    page = b"<!doctype html><html><body><img src='face.jpg'></body></html>"
    drawing = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect/></svg>"
    return {
        "empty": ("empty.jpg", b""),
        "text named jpg": ("notes.jpg", b"This is not a picture at all.\n" * 20),
        "web page": ("saved.png", page),
        "PDF": ("scan.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"),
        "SVG": ("drawing.svg", drawing),
        "PostScript": ("figure.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"),
        "zip": ("pictures.zip", _zip()),
        "zip named png": ("pictures.png", _zip()),
        "CSV": ("fer2013.csv", b"emotion,pixels,Usage\n3,0 1 2,Training\n"),
        "JSON named webp": ("card.webp", b'{"name": "compact_cnn"}'),
        "random bytes": ("random.jpg", np.random.default_rng(0).bytes(5000)),
        "zero bytes only": ("zeros.png", bytes(4096)),
        "line breaks only": ("blank.jpg", b"\r\n" * 50),
        "HEIC photo": ("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)),
        "MP4 film": ("film.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(200)),
        "program": ("setup.jpg", b"MZ\x90\0" + bytes(300)),
        "Photoshop file": ("layers.psd", b"8BPS\0\1" + bytes(20)),
        "icon": ("favicon.ico", encoded(_head().resize((32, 32)), "ICO")),
        "NumPy array": ("faces.npy", b"\x93NUMPY\1\0v\0{'descr': '|u1'}" + bytes(100)),
    }


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("happy/one.jpg", b"x")
    return stream.getvalue()


def _damaged() -> Files:
    whole = {kind: encoded(_head(), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")}
    halves = {f"{kind} cut off": (f"half.{kind.lower()}", whole[kind][: len(whole[kind]) // 2]) for kind in whole}
    picture, jpeg = whole["PNG"], whole["JPEG"]
    return halves | {
        "JPEG signature alone": ("stub.jpg", b"\xff\xd8\xff\xe0"),
        "PNG signature alone": ("stub.png", picture[:8]),
        "GIF signature alone": ("stub.gif", b"GIF89a"),
        "PNG under a JPEG signature": ("mixed.jpg", b"\xff\xd8\xff" + picture[3:]),
        "PNG with a damaged header": ("header.png", picture[:16] + b"\xff\xff\xff\xff" + picture[20:]),
        "PNG with damaged pixels": ("pixels.png", picture[:60] + bytes(400) + picture[460:]),
        "PNG without pixels": ("no-pixels.png", png_of(8, 8, [])),
        "JPEG without tables": ("tables.jpg", jpeg[:20] + jpeg[-400:]),
        "TIFF pointing nowhere": ("nowhere.tif", b"II*\0\xff\xff\xff\x7f" + bytes(60)),
        "BMP with a negative offset": ("offset.bmp", b"BM" + b"\xff" * 60),
    }


def _beyond_limits() -> Files:
    bomb = png_of(60_000, 60_000, [zlib.compress(bytes(100_000))])
    return {
        "one pixel": ("pixel.png", encoded(Image.new("RGB", (1, 1)), "PNG")),
        "one pixel high": ("line.png", encoded(Image.new("RGB", (300, 1)), "PNG")),
        "3,600 megapixels in the header": ("bomb.png", bomb),
        "200 megapixels in the header": ("poster.ppm", b"P6 20000 10000 255\n"),
        "no width": ("flat.png", png_of(0, 10, [zlib.compress(bytes(11))])),
    }


def png_of(width: int, height: int, parts: list[bytes], depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG whose header says what it likes, whatever the pixels are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *((b"IDAT", part) for part in parts), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _odd_but_readable() -> Files:
    head = _head()
    gray = np.asarray(head.convert("L"))
    clear = head.copy()
    clear.putalpha(Image.new("L", head.size, 200))
    palette = head.quantize(64)
    frames = {"save_all": True, "append_images": [head.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]}
    pictures = {
        "PNG named jpg": ("really-a-png.jpg", encoded(head, "PNG")),
        "no suffix": ("photo", good_input()),
        "unknown suffix": ("photo.xyz", good_input()),
        "upper-case suffix": ("PHOTO.JPEG", good_input()),
        "name of other letters": ("лицо 表情 😀.jpg", good_input()),
        "name like a path": ("../../etc/face.jpg", good_input()),
        "name like markup": ("<b>[x](y)*.jpg", good_input()),
        "16-bit gray": ("deep.png", encoded(Image.fromarray(gray.astype(np.uint16) * 257), "PNG")),
        "16-bit colour": ("deep-colour.png", _sixteen_bit_colour()),
        "32-bit gray": ("integers.tif", encoded(Image.fromarray(gray.astype(np.int32) * 257), "TIFF")),
        "floating point": ("floats.tif", encoded(Image.fromarray(gray.astype(np.float32) / 255), "TIFF")),
        "CMYK": ("print.jpg", encoded(head.convert("CMYK"), "JPEG")),
        "gray": ("gray.jpg", encoded(head.convert("L"), "JPEG")),
        "gray with transparency": ("ghost.png", encoded(clear.convert("LA"), "PNG")),
        "colour with transparency": ("clear.png", encoded(clear, "PNG")),
        "palette": ("palette.gif", encoded(palette, "GIF")),
        "palette with transparency": ("cut-out.png", encoded(palette, "PNG", transparency=0)),
        "animated GIF": ("animated.gif", encoded(head, "GIF", **frames)),
        "animated WebP": ("animated.webp", encoded(head, "WEBP", **frames)),
        "AVIF": ("modern.avif", encoded(head, "AVIF")),
        "progressive JPEG": ("progressive.jpg", encoded(head, "JPEG", progressive=True)),
        "damaged EXIF": ("exif.jpg", encoded(head, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\xff")),
        "trailing rubbish": ("trailing.jpg", good_input() + b"rubbish" * 50),
    }
    return pictures | {f"EXIF orientation {n}": (f"turned-{n}.jpg", _turned(n)) for n in range(1, 9)}


def _sixteen_bit_colour() -> bytes:
    deep = np.asarray(_head()).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    return png_of(deep.shape[1], deep.shape[0], [zlib.compress(rows)], depth=16)


def _turned(orientation: int) -> bytes:
    """Return a JPEG stored turned, whose EXIF orientation puts it upright again."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    head = _head() if orientation == 1 else _head().transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(head, "JPEG", exif=exif)
