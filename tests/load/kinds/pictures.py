"""Pictures, as the Predict page and `fer-lab predict` read them."""

from __future__ import annotations

import functools
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bad_inputs import HEAD, bad_inputs, encoded, png_of
from tests.load.kinds.material import Input, portrait


@functools.cache
def pictures() -> dict[str, bytes]:
    head = Image.fromarray(np.ascontiguousarray(portrait()[HEAD]))
    frames = {"save_all": True, "append_images": [head.rotate(10), head.rotate(20)]}
    made = {
        "photo.jpg": encoded(head, "JPEG", exif=_exif()),
        "progressive.jpg": encoded(head, "JPEG", progressive=True),
        "print.jpg": encoded(head.convert("CMYK"), "JPEG"),
        "photo.png": encoded(head, "PNG"),
        "palette.png": encoded(head.quantize(32), "PNG", transparency=0),
        "photo.webp": encoded(head, "WEBP"),
        "lossless.webp": encoded(head, "WEBP", lossless=True),
        "animated.webp": encoded(head, "WEBP", **frames),
        "animated.gif": encoded(head, "GIF", **frames),
        "photo.bmp": encoded(head, "BMP"),
        "photo.avif": encoded(head, "AVIF"),
        "photo.ppm": encoded(head, "PPM"),
        "floats.tif": encoded(Image.fromarray(np.asarray(head.convert("L"), np.float32) / 255), "TIFF"),
    }
    made |= {
        f"{how}.tif": encoded(head, "TIFF", compression=how) for how in ("raw", "tiff_lzw", "tiff_deflate", "jpeg")
    }
    readable = {
        name: content for name, content, expected in bad_inputs().values() if expected == "ok" and "/" not in name
    }
    return made | {f"odd {name}": content for name, content in readable.items()}


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@functools.cache
def picture_bombs() -> dict[str, bytes]:
    def rows(width: int, height: int, bits: int) -> list[bytes]:
        packer = zlib.compressobj(9)
        row = bytes(1 + width * bits // 8)
        return [b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])]

    flat = Image.new("L", (7_200, 7_000), 90)
    progressive = encoded(flat.resize((2_000, 2_000)), "JPEG", progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    return {
        "scans.jpg": progressive[:-2] + scan * 12_000 + progressive[-2:],
        "colour.png": png_of(7_200, 7_000, rows(7_200, 7_000, 24)),
        "clear.png": png_of(7_200, 7_000, rows(7_200, 7_000, 32), colour=6),
        "deep.png": png_of(7_200, 7_000, rows(7_200, 7_000, 16), depth=16, colour=0),
        "large.png": png_of(60_000, 60_000, rows(60_000, 100, 24)),
        "long.png": png_of(2, 40_000_000, rows(2, 1000, 24)),
        "gray.jpg": encoded(flat, "JPEG", quality=10),
        "gray.gif": encoded(flat, "GIF"),
        "integers.tif": encoded(Image.new("I", (7_000, 7_000), 9), "TIFF", compression="tiff_deflate"),
        "floats.tif": encoded(Image.new("F", (7_000, 7_000), 0.5), "TIFF", compression="tiff_deflate"),
        "square.webp": encoded(Image.new("RGB", (7_100, 7_100), "navy"), "WEBP", quality=1, method=0),
    }


def read_picture(given: Input, folder: Path) -> list[str]:
    """The Predict page, with the picture it shows, and `fer-lab predict`, which reads paths."""
    from fer_core.data import read_image
    from fer_core.faces import annotated_jpeg
    from fer_core.store.folders import load_model
    from pages.parts.pictures import Picture, analyze

    path = folder / given.name
    path.write_bytes(given.content)
    found = analyze(Picture(given.name, given.what, path), load_model(), lambda one: read_image(one.file))
    if found.error is None:
        annotated_jpeg(read_image(given.content, given.name), list(found.faces))
    return [found.error] if found.error else []
