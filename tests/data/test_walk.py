"""The walker of folders: junk, links, and that there is no other one."""

from __future__ import annotations

import re

import pytest

from fer_core.data.walk import entries, files_in
from fer_core.types import FerError
from tests.data.conftest import png
from tests.junk import with_junk
from tests.test_floors import ROOT, production_files


def names(folder):
    return [path.relative_to(folder).as_posix() for path in files_in(folder)]


def test_files_of_all_folders_without_junk(tmp_path):
    for name in ("b.png", "a/z.png", "a/deep/er/1.png", "@eaDir.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png())
    (tmp_path / "empty").mkdir()
    with_junk(tmp_path, png())
    assert names(tmp_path) == ["@eaDir.png", "a/deep/er/1.png", "a/z.png", "b.png"]
    assert [path.name for path in entries(tmp_path)] == ["@eaDir.png", "a", "b.png", "empty"]


def test_a_folder_that_is_named_like_junk_is_read_when_it_is_asked_for(tmp_path):
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails" / "a.png").write_bytes(png())
    assert names(tmp_path / ".thumbnails") == ["a.png"]


def test_links_are_followed_and_each_folder_is_read_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(png())
    inside = tmp_path / "links"
    (inside / "more").mkdir(parents=True)
    (inside / "a.png").symlink_to(tmp_path / "real" / "a.png")
    (inside / "gone.png").symlink_to(tmp_path / "nowhere")
    (inside / "one").symlink_to(tmp_path / "real")
    (inside / "two").symlink_to(tmp_path / "real")
    (inside / "more" / "round").symlink_to(inside)
    assert names(inside) == ["a.png", "one/a.png"]


@pytest.mark.parametrize("walk", [files_in, entries])
def test_a_folder_that_cannot_be_read_is_named(tmp_path, walk):
    with pytest.raises(FerError, match=r"The folder .*gone cannot be read \(No such file or directory\)"):
        walk(tmp_path / "gone")


def test_there_is_no_other_walker():
    """Disk space is counted with all files; all else that lists pictures uses the walker."""
    walks = re.compile(r"os\.walk|\.rglob\(|os\.scandir|os\.listdir")
    others = {path.relative_to(ROOT).as_posix() for path in production_files() if walks.search(path.read_text("utf-8"))}
    assert others == {"fer_core/data/walk.py", "fer_core/visitors.py"}
