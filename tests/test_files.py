"""The user's folders, and writing completely or not at all."""

import json
from pathlib import Path

import pandas as pd
import platformdirs
import pytest

from fer_core import files
from fer_core.archives.storage import find_files
from fer_core.data.fer2013 import find_fer2013, find_ferplus
from fer_core.data.pictures import open_grouped
from fer_core.files import read_json, whole_file, whole_folder, write_bytes, write_json
from fer_core.jobs import run_python
from fer_core.runs.run import open_run
from fer_core.store.folders import load_model
from fer_core.types import FerError


@pytest.mark.parametrize("named", ["{0}/lab", "~/lab", ""])
def test_home_is_named_by_fer_home_or_by_the_system_and_created(tmp_path, monkeypatch, named):
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "lab"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FER_HOME", named.format(tmp_path))
    assert files.home() == tmp_path / "lab"
    assert files.cache_folder("features") == tmp_path / "lab" / "cache" / "features"
    assert (tmp_path / "lab" / "cache" / "features").is_dir()
    (tmp_path / "taken").write_text("x")
    monkeypatch.setenv("FER_HOME", str(tmp_path / "taken"))
    with pytest.raises(FerError, match=r"cannot be created .* Set the environment variable FER_HOME"):
        files.home()


@pytest.mark.parametrize("given", ["~nobody123/x.jpg", "a" * 300])
def test_a_path_that_the_system_refuses_is_one_sentence(given, home):
    names_of_models = () if given.startswith("~") else (load_model, open_run)  # a model may not be there, at most
    for use in (files.usable_path, find_fer2013, find_ferplus, lambda name: find_files([name], ()), *names_of_models):
        with pytest.raises(FerError, match=r"This path cannot be used \(.*\)\. Received: "):
            use(given)
    with pytest.raises(FerError, match="This path cannot be used"), open_grouped(Path("a" * 300)):
        pass


def test_records_are_json():
    table = pd.DataFrame({"a": [1, 2], "b": [float("nan"), 0.5], "c": pd.array([True, None], "boolean")})
    assert json.loads(json.dumps(files.records(table))) == [
        {"a": 1, "b": None, "c": True},
        {"a": 2, "b": 0.5, "c": None},
    ]


def test_whole_file_replaces_the_old_one_or_keeps_it_on_failure(tmp_path):
    path = tmp_path / "values.npz"
    path.write_text("old")
    with whole_file(path) as partial:
        assert (partial.parent, partial.suffix) == (tmp_path, ".npz")
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    with pytest.raises(OSError, match="full"), whole_file(path) as partial:
        partial.write_text("half")
        raise OSError("full")
    assert path.read_text() == "new"
    write_bytes(path, b"newer")
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


def test_json_round_trip(tmp_path):
    path = tmp_path / "note.json"
    values = {"name": "Müller", "values": [1, 2.5, None], "path": b"/caf\xe9".decode("utf-8", "surrogateescape")}
    write_json(path, values)
    assert read_json(path) == values
    assert "\\udce9" in path.read_bytes().decode()
    assert str(FerError(values["path"])) == "/caf%E9", "every error can be printed"
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_read_json_of_a_damaged_file_is_empty(tmp_path):
    assert read_json(tmp_path / "note.json") == {}
    for content in (b"", b"[1]", b"\xff", b"{"):
        (tmp_path / "note.json").write_bytes(content)
        assert read_json(tmp_path / "note.json") == {}


def test_whole_folder_replaces_the_old_one_or_keeps_it_on_failure(tmp_path):
    path = tmp_path / "model"
    for text in ("old", "new"):
        with whole_folder(path) as work:
            (work / "card.json").write_text(text)
    (tmp_path / "usual").mkdir()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "usual").rmdir()
    with pytest.raises(OSError, match="full"), whole_folder(path) as work:
        (work / "card.json").write_text("half")
        raise OSError("full")
    assert (path / "card.json").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "gone" / "model"):
        pass
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, sys
from pathlib import Path
from fer_core.files import whole_folder

rename, left = Path.rename, int(sys.argv[2])

def dies(self, target):
    global left
    left -= 1
    return os._exit(9) if left < 0 else rename(self, target)

Path.rename = dies
with whole_folder(Path(sys.argv[1])) as work:
    (work / "card.json").write_text("new")
"""


@pytest.mark.parametrize("renames", [0, 1])
def test_a_killed_process_loses_nothing(tmp_path, renames, monkeypatch):
    path = tmp_path / "model"
    path.mkdir()
    (path / "card.json").write_text("old")
    assert run_python("-c", KILLED, str(path), str(renames)).returncode == 9
    with whole_folder(tmp_path / "other"), whole_folder(tmp_path / "third"):
        pass
    assert len(list(tmp_path.iterdir())) == 4  # another process may be at work
    monkeypatch.setattr(files, "_BETWEEN", 0.0)
    monkeypatch.setattr(files, "_ABANDONED", 0.0)
    files.partial_beside(tmp_path / "other")
    assert (path / "card.json").read_text() == "old"
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "other", tmp_path / "third"]


def test_csv_for_people_is_text_where_a_spreadsheet_would_run_it(tmp_path):
    names = ["=1+1.jpg", "+a", "-b", "@c", "\td", "\re", 'a "b", c', "a=b"]
    gaps = [-1.5, 2.0, None, 1e-7, 0.1, 1 / 3, 1e22, 5.0]
    table = pd.DataFrame({"file": names, "-gap": gaps, "face": pd.array([-1, None, 3, 4, 5, 6, 7, 8], "Int64")})
    files.write_csv(tmp_path / "t.csv", table)
    text = "file,'-gap,face\n'=1+1.jpg,-1.5,-1\n'+a,2.0,\n'-b,,3\n'@c,1e-07,4\n'\td,0.1,5\n"
    text += '"\'\ne",0.3333333333333333,6\n"a ""b"", c",1e+22,7\na=b,5.0,8\n'
    assert (tmp_path / "t.csv").read_bytes().decode() == text
