"""Pictures and videos, as the Predict and Video pages and `fer-lab predict` and `video` read them."""

from __future__ import annotations

import functools
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from fer_core.data import read_image
from fer_core.faces import annotated_jpeg
from fer_core.inference.face_table import expression_runs, seconds_without_face, time_shares, timeline_points
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, analyze_video
from fer_core.store.folders import load_model
from tests.bad_inputs import bad_inputs, encoded, png_of
from tests.clips import film, moving_head, sound_only, with_sound
from tests.load.home import Input, face


@functools.cache
def pictures() -> dict[str, bytes]:
    made = {f"photo.{kind}": encoded(face(), kind) for kind in ("png", "webp", "bmp", "ppm")}
    made |= {f"{kind}.tif": encoded(face(), "TIFF", compression=kind) for kind in ("raw", "tiff_lzw", "jpeg")}
    made["lossless.webp"] = encoded(face(), "WEBP", lossless=True)
    odd = [(name, content) for name, content, expected in bad_inputs().values() if expected == "ok" and "/" not in name]
    return made | {f"odd {name}": content for name, content in odd}


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
    from pages.parts.pictures import Picture, analyze  # Streamlit warns of it

    path = folder / given.name
    path.write_bytes(given.content)
    result = analyze(Picture(given.name, given.what, path), load_model(), lambda picture: read_image(picture.file))
    if result.error is None:
        annotated_jpeg(read_image(given.content, given.name), list(result.faces))
    return [result.error] if result.error else []


@functools.cache
def videos() -> dict[str, bytes]:
    small = moving_head(8, 8, (320, 240))
    kinds = {"mp4": (), "webm": ("webm", "libvpx-vp9"), "avi": ("avi", "mpeg4"), "mkv": ("matroska", "mpeg4")}
    return {f"film.{name}": film(small, *kind) for name, kind in kinds.items()} | {
        "turned.mov": film(small, "mov", rotate=90),
        "fast.mp4": film(small, options={"movflags": "faststart"}),
        "wide.mp4": film(small, pixel_ratio=Fraction(4, 3)),
        "film.ts": film(small, "mpegts", "mpeg2video", rate=25),
        "sound.mp4": with_sound(small),
    }


@functools.cache
def video_bombs() -> dict[str, bytes]:
    tiny, small = [np.full((16, 16, 3), 40, np.uint8)] * 3, moving_head(3, size=(320, 240))
    large = film([np.full((2160, 3840, 3), 90, np.uint8)] * 2, "mpegts", "mpeg2video", rate=25)
    bombs = {
        "8k.mp4": film([np.full((4320, 7680, 3), 90, np.uint8)] * 6),
        "stretched.mp4": film(small, pixel_ratio=Fraction(30_000, 1)),
        "thin.mp4": film(small, pixel_ratio=Fraction(1, 30_000)),
        "long.mp4": film(tiny, times=[0.0, 86_400.0, 160_000.0]),
        "growing.ts": film(tiny, "mpegts", "mpeg2video", rate=25) + large,
        "sound.mp4": sound_only(),
        "jumps.mp4": film(tiny * 4, times=[3600.0 * (k // 4) + k / 10 for k in range(12)]),
    }
    times = [k / 1000 for k in range(2000)]
    fast = {kind: film(tiny[:1] * 2000, kind, "mpeg4", rate=1000, times=times) for kind in ("mp4", "matroska")}
    return bombs | {f"thousand.{kind}": content for kind, content in fast.items()}


def read_video(given: Input, folder: Path) -> list[str]:
    """The Video page, which has the content, or `fer-lab video`, which has a path; both write an annotated video.

    A video of 1,000 frames per second is read with a limit of ten seconds; it must use no more frames than one of 60.
    """
    source: Path | bytes = given.content
    if len(given.content) % 2:
        source = folder / given.name
        source.write_bytes(given.content)
    analyzer, annotated = StreamAnalyzer(load_model().classifier(), settings=FILE_SETTINGS), folder / "annotated.mp4"
    longest = 10.0 if given.what.startswith("bomb thousand") else None
    rate = None if given.what.startswith("bomb jumps") else 2.0
    result = analyze_video(source, analyzer, rate=rate, annotate=annotated, name=given.name, longest=longest)
    assert longest is None or result.seconds < 0.7, f"{result.seconds} seconds of 1,000 frames were read"
    counted = time_shares(result.table, result.seconds)["seconds"].sum()
    counted += seconds_without_face(result.table, result.seconds)
    assert rate or counted < 2, f"{counted} seconds are counted of 12 frames"
    expression_runs(result.table, result.seconds)
    for number in result.faces:
        timeline_points(result.table, number)
    return []
