import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fer_core.archives import Job
from fer_core.store.folders import load_model
from tests.clips import film, moving_head, scene
from tests.load.archive import write_photos

PHOTOS = 36


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small photos with one face each, one that is cut off, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder, PHOTOS - 1)
    (folder / "000020.jpg").write_bytes(b"no photo")
    (folder / "inner").mkdir()
    (folder / "inner" / "last.jpg").write_bytes((folder / "000001.jpg").read_bytes())
    (folder / "notes.txt").write_text("not asked for")
    return folder


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos: a long one of two faces, one of which goes away and comes back; a short one; a broken one;
    and one with a face that stays at its place, with another scene after 1.5 seconds and a pause after 3."""
    folder = tmp_path_factory.mktemp("videos")
    long = [scene(*([(10 + 2 * k, 20), (330, 20)] if k % 24 < 18 else [(10 + 2 * k, 20)])) for k in range(60)]
    (folder / "long.mp4").write_bytes(film(long, key_every=9))
    frames = [_room(20, 230)] * 15 + [_room(230, 20)] * 25
    times = [k / 10 + 5 * (k >= 30) for k in range(40)]
    (folder / "cut.mp4").write_bytes(film(frames, times=times, key_every=9))
    (folder / "short.mp4").write_bytes(film(moving_head(6)))
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def _room(left: int, right: int) -> np.ndarray:
    """Return a frame with a face in the middle, and walls of other grays on both sides."""
    frame = scene((220, 80), scale=0.6)
    frame[:, :220], frame[:, 412:] = left, right
    return frame


@pytest.fixture(scope="session")
def photo_job(yunet_file: Path) -> Job:
    return Job.of("photos", load_model())


@pytest.fixture(scope="session")
def video_job(photo_job: Job) -> Job:
    return dataclasses.replace(photo_job, kind="videos")
