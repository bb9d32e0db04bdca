"""Pictures and videos, as the Predict and Video pages and `fer-lab predict` and `video` read them."""

import functools
from fractions import Fraction
from pathlib import Path

from fer_core.data import read_image
from fer_core.faces import annotated_jpeg
from fer_core.inference.face_table import expression_runs, seconds_without_face, time_shares, timeline_points
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, analyze_video
from fer_core.store.folders import load_model
from tests.bad_inputs import bad_inputs, encoded
from tests.clips import film, moving_head, with_sound
from tests.load.home import Input, face


@functools.cache
def pictures() -> dict[str, bytes]:
    made = {f"photo.{kind}": encoded(face(), kind) for kind in ("png", "webp", "bmp", "ppm")}
    made |= {f"{kind}.tif": encoded(face(), "TIFF", compression=kind) for kind in ("raw", "tiff_lzw", "jpeg")}
    made["lossless.webp"] = encoded(face(), "WEBP", lossless=True)
    odd = [(name, content) for name, content, expected in bad_inputs().values() if expected == "ok" and "/" not in name]
    return made | {f"odd {name}": content for name, content in odd}


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


def read_video(given: Input, folder: Path) -> list[str]:
    """The Video page, which has the content, or `fer-lab video`, which has a path; both write an annotated video."""
    source: Path | bytes = given.content
    if len(given.content) % 2:
        source = folder / given.name
        source.write_bytes(given.content)
    analyzer, annotated = StreamAnalyzer(load_model().classifier(), settings=FILE_SETTINGS), folder / "annotated.mp4"
    result = analyze_video(source, analyzer, rate=2.0, annotate=annotated, name=given.name)
    time_shares(result.table, result.seconds)
    seconds_without_face(result.table, result.seconds)
    expression_runs(result.table, result.seconds)
    for number in result.faces:
        timeline_points(result.table, number)
    return []
