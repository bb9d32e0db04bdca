"""Tables that fit the terminal: file names and model names stay whole."""

from __future__ import annotations

import io
import re
import shutil
import sys

import pytest
from rich.console import Console

from fer_core.cli import output
from fer_core.cli.output import ShortPath, fitted_table
from fer_core.store.folders import DEFAULT_MODEL, list_models

LONG = "/very/long/path/to/the/pictures/of/a/holiday/in/summer/photo-of-someone.jpg"


@pytest.fixture(params=[60, 80])
def width(request, monkeypatch):
    """The width of the terminal. Used after `fer`, which sets another one."""
    monkeypatch.setattr(output.stdout, "width", request.param)
    return request.param


def printed(table, width):
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (80, LONG),
        (60, "…/the/pictures/of/a/holiday/in/summer/photo-of-someone.jpg"),
        (22, "…/photo-of-someone.jpg"),
        (20, "photo-of-someone.jpg"),
    ],
)
def test_a_path_loses_its_first_folders(room, shown):
    assert printed(ShortPath(LONG), room).strip() == shown


def test_cells_are_never_cut(width):
    rows = [{"File": ShortPath(LONG), "Expression": "no face found", "Runner-up": "surprise 12%", "Note": "a note"}]
    text = printed(fitted_table(rows, list(rows[0]), spare=["Note"]), width)
    assert "photo-of-someone.jpg" in text
    assert max(map(len, text.splitlines())) <= width
    assert {"no", "face", "found", "surprise", "12%"} <= set(text.split())


def test_a_name_too_long_for_the_terminal_is_broken(width):
    text = printed(fitted_table([{"Id": "x" * 100, "State": "running"}], ["Id", "State"]), width)
    assert text.count("x") == 100
    assert "running" in text
    assert max(map(len, text.splitlines())) <= width


def test_predict_shows_the_name_of_a_file_in_a_deep_folder(fer, width, portrait, tmp_path):
    folder = tmp_path.joinpath(*["a", "folder", "inside", "a", "folder", "inside", "a", "folder"])
    folder.mkdir(parents=True)
    shutil.copy(portrait, folder / "photo.png")
    text = fer("predict", folder).stdout
    assert "photo.png" in text
    assert "Runner-up" in text


def test_models_shows_each_name(fer, width):
    lines = fer("models").stdout.splitlines()
    names = {line.split()[0] for line in lines if re.match(r"[a-z]", line)}
    assert {model.name for model in list_models()[0]} == names
    assert any(line.startswith(DEFAULT_MODEL) for line in lines)
    assert max(map(len, lines)) <= width


def test_output_is_utf8_with_line_feeds_as_on_windows(monkeypatch):
    """A console of Windows that knows 256 letters and ends lines with two characters."""
    written = {name: io.BytesIO() for name in ("stdout", "stderr")}
    for name, stream in written.items():
        monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, encoding="cp1252", newline="\r\n"))
    output.write_utf8()
    output.print_json({"лицо": "caf\udce9"})
    sys.stdout.flush()
    print("表情", "\udce9", file=sys.stderr, flush=True)
    assert written["stdout"].getvalue() == '{\n "лицо": "caf%E9"\n}\n'.encode()
    assert written["stderr"].getvalue() == "表情 \\udce9\n".encode()
