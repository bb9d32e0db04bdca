"""Videos, as the Video page and `fer-lab video` read them."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from tests.clips import film, moving_head, sound_only, with_sound
from tests.load.kinds.material import Input


@functools.cache
def videos() -> dict[str, bytes]:
    small = moving_head(8, 8, (320, 240))
    return {
        "film.mp4": film(small),
        "turned.mov": film(small, "mov", rotate=90),
        "fast.mp4": film(small, options={"movflags": "faststart"}),
        "wide.mp4": film(small, pixel_ratio=_ratio(4, 3)),
        "film.webm": film(small, "webm", "libvpx-vp9"),
        "film.avi": film(small, "avi", "mpeg4"),
        "film.mkv": film(small, "matroska", "mpeg4"),
        "film.ts": film(small, "mpegts", "mpeg2video", rate=25),
        "sound.mp4": with_sound(small),
    }


@functools.cache
def video_bombs() -> dict[str, bytes]:
    plain = np.full((4320, 7680, 3), 90, np.uint8)
    tiny = [np.full((16, 16, 3), 40, np.uint8)] * 3
    return {
        "8k.mp4": film([plain] * 6),
        "stretched.mp4": film(moving_head(3, size=(320, 240)), pixel_ratio=_ratio(30_000, 1)),
        "thin.mp4": film(moving_head(3, size=(320, 240)), pixel_ratio=_ratio(1, 30_000)),
        "long.mp4": film(tiny, times=[0.0, 86_400.0, 160_000.0]),
        "growing.ts": film(tiny, "mpegts", "mpeg2video", rate=25)
        + film([np.full((2160, 3840, 3), 90, np.uint8)] * 2, "mpegts", "mpeg2video", rate=25),
        "sound.mp4": sound_only(),
        "jumps.mp4": film(tiny * 4, times=[3600.0 * (k // 4) + k / 10 for k in range(12)]),
        **{
            f"thousand.{name}": film(tiny[:1] * 2000, kind, "mpeg4", rate=1000, times=[k / 1000 for k in range(2000)])
            for name, kind in (("mp4", "mp4"), ("mkv", "matroska"))
        },
    }


def _ratio(width: int, height: int):
    from fractions import Fraction

    return Fraction(width, height)


def read_video(given: Input, folder: Path) -> list[str]:
    """The Video page, which has the content, or `fer-lab video`, which has a path; both write an annotated video.

    A video of 1,000 frames per second is read with a limit of ten seconds; it must use no more frames than one of 60.
    """
    from fer_core.inference.stream import StreamAnalyzer
    from fer_core.inference.video import FILE_SETTINGS, analyze_video

    source: Path | bytes = given.content
    if len(given.content) % 2:
        source = folder / given.name
        source.write_bytes(given.content)
    analyzer, annotated = StreamAnalyzer(_classifier(), settings=FILE_SETTINGS), folder / "annotated.mp4"
    longest = 10.0 if given.what.startswith("bomb thousand") else None
    rate = None if given.what.startswith("bomb jumps") else 2.0
    result = analyze_video(source, analyzer, rate=rate, annotate=annotated, name=given.name, longest=longest)
    assert longest is None or result.seconds < 0.7, f"{result.seconds} seconds of 1,000 frames were read"
    from fer_core.inference.face_table import expression_runs, seconds_without_face, time_shares, timeline_points

    counted = time_shares(result.table, result.seconds)["seconds"].sum()
    counted += seconds_without_face(result.table, result.seconds)
    assert rate or counted < 2, f"{counted} seconds are counted of 12 frames"
    expression_runs(result.table, result.seconds)
    for face in result.faces:
        timeline_points(result.table, face)
    return []


@functools.cache
def _classifier():
    from fer_core.store.folders import load_model

    return load_model().classifier()
