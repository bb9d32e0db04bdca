"""Small photos and films for the tests of archives, and jobs of a model that reads them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fer_core.archives import Job, plan
from fer_core.store import load_model
from tests.clips import film, moving_head, scene
from tests.load.archive import write_photos

PHOTOS = 48


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
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a long film of two faces, one of which goes away and comes back, a short film, and a broken one."""
    folder = tmp_path_factory.mktemp("films")
    long = [scene(*([(10 + 2 * k, 20), (330, 20)] if k % 24 < 18 else [(10 + 2 * k, 20)])) for k in range(60)]
    (folder / "long.mp4").write_bytes(film(long, key_every=9))
    (folder / "short.mp4").write_bytes(film(moving_head(6)))
    (folder / "broken.mp4").write_bytes(b"no film")
    return folder


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut films into pieces of some seconds, so that short ones have several."""
    monkeypatch.setattr(plan, "PIECE_SECONDS", 2.0)


@pytest.fixture(scope="session")
def photo_job(yunet_file: Path) -> Job:
    return Job.of("photos", load_model())


@pytest.fixture(scope="session")
def film_job(photo_job: Job) -> Job:
    return dataclasses.replace(photo_job, kind="films")
