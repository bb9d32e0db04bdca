from pathlib import Path

import numpy as np
import pytest

from fer_core.inference import video_writer
from fer_core.inference.video_writer import VideoWriter
from fer_core.types import FerError
from tests.clips import decoded

ORANGE = np.full((90, 120, 3), (200, 90, 30), np.uint8)


def write(path: Path, times: list[float], end: float, image: np.ndarray = ORANGE) -> Path:
    writer = VideoWriter(path)
    for seconds in times:
        writer.add(image, seconds)
    writer.close(end)
    return writer.path


def test_browsers_play_it_and_it_starts_before_it_is_loaded(tmp_path):
    path = write(tmp_path / "new folder" / "out.mp4", [0.0, 0.1, 0.2], 0.3)
    codec, seconds, times, _ = decoded(path)
    assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    assert seconds == pytest.approx(0.3, abs=0.01)
    assert times == pytest.approx([0.0, 0.1, 0.2], abs=1e-3)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("name", ["out.mp4", "out.webm"])
def test_uneven_times_and_colours_are_kept_and_a_pause_of_days_is_an_hour(tmp_path, name):
    uneven = [0.0, 0.04, 0.5, 0.54, 2.0]
    _, seconds, times, images = decoded(write(tmp_path / name, uneven, 3.5))
    assert times == pytest.approx(uneven, abs=2e-3)
    if name.endswith("mp4"):  # WebM keeps no length of the last frame
        assert seconds == pytest.approx(3.5, abs=0.01)
    assert np.abs(images[2].mean((0, 1)) - ORANGE[0, 0]).max() < 5
    _, _, times, _ = decoded(write(tmp_path / name, [0.0, 1.0, 200_000.0, 200_001.0], 500_000.0))
    assert times == pytest.approx([0.0, 1.0, 3601.0, 3602.0], abs=2e-3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((91, 121), (92, 122)), ((90, 121), (90, 122)), ((1, 1), (2, 2)), ((2160, 3840), (1080, 1920))],
)
def test_odd_sizes_get_one_more_row_or_column_and_large_ones_are_reduced(tmp_path, size, expected):
    path = write(tmp_path / "odd.mp4", [0.0], 0.1, np.full((*size, 3), 90, np.uint8))
    assert decoded(path)[3][0].shape == (*expected, 3)


def test_the_name_appears_when_it_is_complete_and_frames_are_fitted_to_the_first(tmp_path):
    path, old = tmp_path / "out.mp4", b"the video of last time"
    path.write_bytes(old)
    writer = VideoWriter(path)
    writer.add(ORANGE, 0.0)
    writer.add(np.repeat(ORANGE, 2, axis=0), 0.1)
    assert path.read_bytes() == old
    writer.close(0.2)
    assert [image.shape for image in decoded(path)[3]] == [ORANGE.shape] * 2
    assert list(tmp_path.iterdir()) == [path]


def test_without_h264_it_becomes_webm(tmp_path, monkeypatch):
    monkeypatch.setattr(video_writer.av, "codecs_available", {"libvpx-vp9"})
    path = write(tmp_path / "out.mp4", [0.0, 0.1], 0.2)
    assert path == tmp_path / "out.webm"
    codec, _, times, _ = decoded(path)
    assert (codec.name, codec.pix_fmt, len(times)) == ("vp9", "yuv420p", 2)
    monkeypatch.setattr(video_writer.av, "codecs_available", set())
    with pytest.raises(FerError, match=r"neither H\.264 nor VP9"):
        VideoWriter(tmp_path / "out.mp4")


def test_places_that_cannot_be_written_and_no_frames(tmp_path):
    assert not write(tmp_path / "none.mp4", [], 0.0).exists()
    with pytest.raises(FerError, match=r"named \.mp4 or \.webm"):
        VideoWriter(tmp_path / "out.gif")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FerError, match="cannot be written"):
        write(tmp_path / "file" / "out.mp4", [0.0], 0.1)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(FerError, match="cannot be written"):
        write(tmp_path / "folder.mp4", [0.0], 0.1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk(tmp_path, monkeypatch):
    (tmp_path / "full").symlink_to("/dev/full")
    monkeypatch.setattr(video_writer, "partial_beside", lambda _: tmp_path / "full")
    with pytest.raises(FerError, match="cannot be written"):
        noise = np.random.default_rng(0).integers(0, 256, (360, 480, 3), dtype=np.uint8)
        write(tmp_path / "full.mp4", [k / 10 for k in range(30)], 3.0, noise)
    assert not list(tmp_path.iterdir())
