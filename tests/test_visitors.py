"""Visitors of a shared server: a folder each, limits, and a name that does not give the secret away."""

import gc

import pytest

from fer_core import visitors
from fer_core.files import cache_folder
from fer_core.jobs import run_python
from fer_core.store.folders import promoted
from fer_core.types import FerError
from fer_core.visitors import TemporaryFolder, Visitor, check_room, disk_use, limits, own_home, room, visitors_folder


def test_on_ones_own_computer_there_is_one_user_without_limits(home, monkeypatch):
    monkeypatch.setattr(visitors, "_asked", [])
    assert own_home() == home
    assert limits() is None
    check_room(10**18)
    assert room() > 10**18


def test_each_visitor_has_a_folder_whose_name_hides_the_secret(visit):
    first = visit("first")
    assert own_home() == promoted().parent == first.folder
    program = "from fer_core.visitors import own_home, limits; print(own_home(), limits())"
    assert run_python("-c", program).stdout.split() == [str(first.folder), "None"], "a child works for the same visitor"
    second = visit("second")
    assert own_home() != first.folder
    assert sorted(path.name for path in visitors_folder().iterdir()) == sorted([first.name, second.name])
    assert "first" not in first.name
    assert visit("first").folder == first.folder


@pytest.mark.parametrize("name", ["../../elsewhere", "", "A" * 32, "0" * 33])
def test_a_visitors_name_is_no_path(name):
    with pytest.raises(FerError, match="32 hexadecimal digits"):
        Visitor(name)


def test_disk_space_of_one_and_of_all(visit):
    folder = visit("first", visitor_megabytes=2, all_megabytes=3).folder
    own_home().joinpath("a").write_bytes(bytes(1_500_000))
    assert disk_use(folder) == 1_500_000
    assert room() == 500_000
    check_room(500_000)
    with pytest.raises(FerError, match=r"Expected at most 2 MB for each visitor.*Received: 2\.5 MB"):
        check_room(1_000_000)
    visit("second", visitor_megabytes=2, all_megabytes=3)
    assert room() == 1_500_000
    with pytest.raises(FerError, match=r"Expected at most 3 MB; try again later\. Received: 3\.5 MB"):
        check_room(2_000_000)
    visit("first", visitor_megabytes=1)
    with pytest.raises(FerError, match="Your disk space on this server is used up"):
        TemporaryFolder()


@pytest.mark.parametrize("settings", [{"hours": 1}, {"pictures": 0}, {"pictures": True}, {"keep_hours": "24"}])
def test_settings_that_are_not_valid(settings):
    with pytest.raises(FerError, match="Received: "):
        visitors.Limits.from_settings(settings)


KILLED = """
import os
from fer_core.visitors import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "face.png").write_bytes(b"x")
os._exit(9)
"""


def test_temporary_folders_are_gone_when_closed_forgotten_or_killed(home):
    def names() -> set[str]:
        return {path.name for path in cache_folder("visits").iterdir()}

    run_python("-c", KILLED)
    (left,) = (path for path in cache_folder("visits").iterdir() if path.is_dir())
    assert (left / "face.png").is_file()
    one, other = TemporaryFolder(), TemporaryFolder()
    assert not left.exists()
    assert other.path.is_dir(), "a folder in use is left alone"
    (one.path / "face.png").write_bytes(b"x")
    one.close()
    one.close()
    assert names() == {other.path.name, f"{other.path.name}.lock"}
    del other
    gc.collect()
    assert names() == set()


def test_what_all_visitors_share_is_not_in_the_folder_of_the_first(home, visit):
    folder = visit("first").folder
    own, shared = TemporaryFolder(), TemporaryFolder(shared=True)
    assert own.path.is_relative_to(folder)
    assert shared.path.parent == cache_folder("visits")
