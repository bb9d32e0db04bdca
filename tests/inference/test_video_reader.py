from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_core.inference import video_reader
from fer_core.inference.video_reader import VideoReader
from fer_core.types import FerError
from tests.bad_inputs import encoded
from tests.clips import cut_off, film, sound_only, with_sound

MARKED = np.full((120, 160, 3), (30, 60, 160), np.uint8)
MARKED[:40, :40] = (255, 255, 255)  # white at the top left
FASTSTART = {"movflags": "faststart"}


def noisy(count: int = 30) -> list[np.ndarray]:
    """Pictures that take many bytes, so that half a file is half a film."""
    return list(np.random.default_rng(0).integers(0, 256, (count, 120, 160, 3), dtype=np.uint8))


def read(content: bytes | Path, rate: float | None = None):
    with VideoReader(content, "film") as video:
        found = list(video.frames(rate))
        return [seconds for seconds, _ in found], [image for _, image in found], video


@pytest.mark.parametrize(
    ("kind", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx-vp9"), ("avi", "mpeg4")]
)
def test_every_container_gives_all_frames_at_their_times(kind, codec, tmp_path):
    path = tmp_path / f"a: b%d *.{kind}"  # a name that FFmpeg would take for an address or a pattern
    path.write_bytes(film([MARKED] * 12, kind, codec))
    times, images, video = read(path)
    assert times == pytest.approx(np.arange(12) / 10, abs=2e-3)
    assert video.end == pytest.approx(1.2, abs=2e-3)
    assert video.seconds == pytest.approx(1.2, abs=2e-3)
    assert video.note is None
    assert not video.has_sound
    assert all(image.shape == (120, 160, 3) and image.dtype == np.uint8 for image in images)
    assert np.abs(images[5][60:, 60:].mean((0, 1)) - MARKED[100, 100]).max() < 8  # RGB, not BGR
    assert images[5][5, 5].min() > 230


def test_rotation_and_mirroring_in_the_header_are_undone():
    for turned in (0, 90, 180, -90):
        stored = np.ascontiguousarray(np.rot90(MARKED, -turned // 90))
        _, images, _ = read(film([stored] * 3, rotate=turned))
        assert images[0].shape == MARKED.shape
        assert np.abs(images[0].astype(int) - MARKED).mean() < 8
    # mirrored as FFmpeg's own `-display_hflip` writes it: x' = -x
    content = bytearray(film([MARKED[:, ::-1]] * 3, rotate=0))
    plain = (1 << 16).to_bytes(4, "big") + bytes(12) + (1 << 16).to_bytes(4, "big") + bytes(12)
    place = content.index(b"tkhd") + 44
    assert content[place : place + 32] == plain
    content[place : place + 4] = (-(1 << 16)).to_bytes(4, "big", signed=True)
    _, images, _ = read(bytes(content))
    assert np.abs(images[0].astype(int) - MARKED).mean() < 8


def test_times_of_a_variable_frame_rate_and_so_many_frames_a_second():
    times = [0.0, 0.1, 0.5, 0.55, 2.0, 2.1]
    assert read(film([MARKED] * 6, times=times))[0] == pytest.approx(times, abs=1e-3)
    assert read(film([MARKED] * 6, times=[3 + t for t in times]))[0] == pytest.approx(times, abs=1e-3)
    assert read(film([MARKED] * 6, times=times), rate=2)[0] == pytest.approx([0, 0.5, 2.0], abs=1e-3)
    content = film([MARKED] * 20)
    for rate, expected in ((5, 10), (2, 4), (0.5, 1), (10, 20), (1000, 20)):
        times, _, video = read(content, rate)
        assert times == pytest.approx(np.arange(expected) * max(1 / rate, 0.1), abs=2e-3)
        assert video.end == pytest.approx(2.0, abs=2e-3)


def test_pixels_that_are_not_square_become_square():
    _, images, _ = read(film([MARKED] * 2, pixel_ratio=Fraction(4, 3)))
    assert (len(images), images[0].shape) == (2, (120, 213, 3))
    assert images[0][5, 50].min() > 230  # the white square reaches to 40 * 4 / 3
    assert images[0][5, 56].min() < 100


@pytest.mark.parametrize(
    ("kind", "codec", "options"), [("mp4", "libx264", FASTSTART), ("webm", "libvpx", {}), ("avi", "mpeg4", {})]
)
def test_a_film_cut_off_gives_what_is_there_and_says_so(kind, codec, options):
    pictures = noisy()
    whole = film(pictures, kind, codec, options=options)
    assert read(whole)[2].note is None
    times, images, video = read(cut_off(whole))
    assert 2 <= len(times) < 25
    assert video.note is not None
    if kind == "avi":  # FFmpeg lowers an AVI's length to what the file can hold
        assert "missing" in video.note
    else:
        assert f"cut off or damaged: frames could be read up to {video.end:.1f} of 3.0 seconds" in video.note
    small = (cv2.resize(image, (20, 15), interpolation=cv2.INTER_AREA) for image in (images[0], pictures[0]))
    assert np.abs(np.subtract(*small, dtype=int)).mean() < 12


@pytest.mark.parametrize(("kind", "seconds"), [("mp4", 1.0), ("matroska", 1.0), ("flv", 3.0)])
def test_sound_that_outlasts_the_pictures_is_no_cut(kind, seconds):
    """FLV declares one length for both."""
    times, _, video = read(with_sound([MARKED] * 10, kind=kind, seconds=3))
    assert (len(times), video.note) == (10, None)
    assert video.seconds == pytest.approx(seconds, abs=0.3)
    cut = read(cut_off(with_sound(noisy(), kind="matroska", seconds=4), 0.6))[2]
    assert cut.note is not None and "of 3.0 seconds" in cut.note


def test_holes_in_a_film_are_told():
    content = bytearray(film(noisy(), options=FASTSTART))
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    times, _, video = read(bytes(content))
    assert len(times) >= 20
    assert video.note == "film is damaged in places: some frames are smeared or missing."


def test_odd_sizes_one_frame_and_sound():
    _, images, video = read(film([MARKED[:119, :157]], "avi", "ffv1"))
    assert [image.shape for image in images] == [(119, 157, 3)]
    assert video.end == pytest.approx(0.1)
    times, _, video = read(with_sound([MARKED] * 5))
    assert (len(times), video.has_sound) == (5, True)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.mp4", b"This is no film.\n" * 50, "not a video"),
        ("empty.mp4", b"", "empty (0 bytes)"),
        ("zeros.webm", bytes(5000), "not a video"),
        ("no-frames.mp4", film([]), "holds no frame"),
        ("sound.mp4", sound_only(), "holds no frames"),
        ("header-lost.mp4", cut_off(film(noisy(5))), "cut off at its start"),
        ("picture.mp4", encoded(Image.fromarray(MARKED), "PNG"), "not a video"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n", "not a video"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "not a video"),
    ],
)
def test_no_film_gives_one_sentence(name, content, says, tmp_path):
    (tmp_path / name).write_bytes(content)
    for source in (tmp_path / name, content):
        with pytest.raises(FerError) as caught, VideoReader(source, name) as video:
            list(video.frames())
        message = str(caught.value)
        assert message.startswith(f"{name} ")
        assert says in message
        assert "Expected an MP4, MOV, WebM or AVI file." in message
        assert "\n" not in message


def test_a_playlist_opens_no_other_file(tmp_path):
    (tmp_path / "secret.ts").write_bytes(film([MARKED] * 3, "mpegts"))
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n{tmp_path / 'secret.ts'}\n#EXT-X-ENDLIST\n")
    assert len(read(tmp_path / "secret.ts")[0]) == 3
    with pytest.raises(FerError, match="not a video"):
        VideoReader(playlist)


def test_missing_files_folders_and_a_rate_of_nothing(tmp_path):
    for rate in (0, -1, float("nan")):
        with VideoReader(film([MARKED])) as video, pytest.raises(FerError, match="above 0"):
            list(video.frames(rate))
    with pytest.raises(FerError, match=r"gone\.mp4 does not exist"):
        VideoReader(tmp_path / "gone.mp4")
    with pytest.raises(FerError, match="is a folder"):
        VideoReader(tmp_path)


TINY = np.full((16, 16, 3), 90, np.uint8)


def test_a_limit_of_the_length_bounds_the_frames(monkeypatch):
    """1,000 frames in a second, where a limit of ten seconds allows 600: refused if the file says so, else cut."""
    times = [k / 1000 for k in range(1000)]
    said = film([TINY] * 1000, rate=1000, times=times)
    with pytest.raises(FerError, match=r"film has too many frames.* at most 600 .* Received: 1,000 of 16 x 16"):
        VideoReader(said, "film", longest=10)
    with VideoReader(said, "film", longest=17) as video:
        assert sum(1 for _ in video.frames()) == 1000
        assert not video.over
    with VideoReader(film([TINY] * 1000, "webm", "libvpx-vp9", 1000, times), "film", longest=10) as video:
        read = [seconds for seconds, _ in video.frames(rate=5)]  # frames that are not asked for are decoded, too
        assert read == pytest.approx([0, 0.2, 0.4], abs=5e-3)
        assert video.over
        assert video.end == pytest.approx(0.6, abs=0.01)
        assert video.note is None
    monkeypatch.setattr(video_reader, "FULL_HD", 16 * 8)  # so that each frame counts twice
    with pytest.raises(FerError, match="too many frames"):
        VideoReader(said, "film", longest=17)


def test_a_film_that_does_not_say_its_length_is_read_up_to_the_limit(monkeypatch):
    monkeypatch.setattr(VideoReader, "_declared_seconds", lambda _: None)
    with VideoReader(film([TINY] * 20, "webm", "libvpx-vp9"), "film", longest=1.2) as video:
        assert [seconds for seconds, _ in video.frames()] == pytest.approx(np.arange(13) / 10, abs=2e-3)
        assert video.over


def test_frames_larger_than_the_header_says(monkeypatch):
    monkeypatch.setattr(video_reader, "MAX_PIXELS", 160 * 120)
    small, large = (
        film([np.full((*size, 3), 90, np.uint8)] * 3, "mpegts", "mpeg2video", 25) for size in ((64, 64), (240, 320))
    )
    wide = film([MARKED] * 2, pixel_ratio=Fraction(4, 3))
    for content, received in ((wide, "213 x 120"), (small + large, "320 x 240")):
        with pytest.raises(FerError, match=f"film is too large.* Received: {received}"):
            read(content)
