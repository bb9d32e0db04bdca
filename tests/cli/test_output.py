"""Tables that fit the terminal: file names and model names stay whole."""

import io
import re
import sys

import pytest
from rich.console import Console

from fer_core.cli import output
from fer_core.cli.output import fitted_table, short_path
from fer_core.store.folders import DEFAULT_MODEL, list_models

LONG = "/very/long/path/to/the/pictures/of/a/holiday/in/summer/photo-of-someone.jpg"


@pytest.fixture(params=[60, 80])
def width(request, monkeypatch):
    """The width of the terminal. Used after `fer`, which sets another one."""
    monkeypatch.setattr(output.stdout, "width", request.param)
    return request.param


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (160, LONG),
        (108, "…/the/pictures/of/a/holiday/in/summer/photo-of-someone.jpg"),
        (72, "…/photo-of-someone.jpg"),
        (70, "photo-of-someone.jpg"),
    ],
)
def test_a_path_loses_its_first_folders(room, text, monkeypatch):
    monkeypatch.setattr(output.stdout, "width", room)
    assert short_path(LONG) == text


@pytest.mark.parametrize("first", ["x" * 30, "x" * 100])
def test_cells_are_never_cut_and_a_short_name_is_whole(width, first):
    row = (first, "words that need some lines", "no face found", "surprise 12 %")
    console = Console(width=width, file=io.StringIO())
    console.print(fitted_table(["Id", "Title", "State", "Runner-up"], [row]))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert (first in text) == (len(first) <= width // 2)
    assert text.count("x") == len(first)
    assert width < 80 or {"no", "face", "found", "surprise", "12"} <= set(text.split())


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
