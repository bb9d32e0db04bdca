import os
import sys

import pytest

from fer_core.archives import LocalEngine, RayEngine, run_archive
from fer_core.types import FerError
from tests.archives.test_run import assert_same
from tests.load.archive import Interrupts, kill_a_worker


@pytest.mark.parametrize("address", ["nowhere.invalid:6379", "127.0.0.1:1", "ray://127.0.0.1:1", "cluster"])
def test_an_address_where_nothing_answers_is_one_sentence(address):
    _need_ray()
    with pytest.raises(FerError, match="no Ray cluster at this address"):
        RayEngine(address)  # before a test that connects this process


@pytest.fixture(scope="module")
def engine():
    _need_ray()
    engine = RayEngine(workers=2)
    yield engine
    engine.close()


def test_photos_on_ray_with_a_killed_worker_are_as_on_this_machine(engine, photos, photo_job, tmp_path):
    killed: list[int] = []
    breaks = {0.3: lambda: killed.extend(kill_a_worker())}
    summary = run_archive([str(photos)], str(tmp_path / "ray"), job=photo_job, engine=Interrupts(engine, breaks))
    run_archive([str(photos)], str(tmp_path / "local"), job=photo_job, engine=LocalEngine(1))
    assert len(killed) == 1
    assert_same(tmp_path / "ray", tmp_path / "local")
    again = run_archive([str(photos)], str(tmp_path / "ray"), job=photo_job, engine=engine)
    assert again.done == 0
    assert again.errors == summary.errors


def test_videos_on_ray_are_as_on_this_machine(engine, videos, video_job, tmp_path):
    files = [str(videos / name) for name in ("short.mp4", "broken.mp4")]
    for name, where in (("ray", engine), ("local", LocalEngine(1))):
        run_archive(files, str(tmp_path / name), job=video_job, engine=where)
    assert_same(tmp_path / "ray", tmp_path / "local")


def test_without_ray_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(FerError, match=r'ray is not installed. Run `pip install "fer-lab\[archive\]"`'):
        RayEngine()


def _need_ray():
    if os.environ.get("FER_REQUIRE_ALL") != "1":
        pytest.importorskip("ray", reason="needs Ray: make ray")
