import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.pictures import open_grouped
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError
from tests.fairness.people import picture, write_people, zipped
from tests.junk import with_junk

PACKS = pytest.mark.parametrize("pack", [lambda folder: folder, zipped], ids=["folder", "zip"])


@PACKS
def test_a_table_beside_its_pictures(tmp_path, pack, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with open_grouped(pack(write_people(tmp_path / "people"))) as found:
        assert found.names == ("anna.png", "ben.png", "cleo.png")
        assert list(found.groups["gender"]) == ["female", "male", "female"]
        assert list(found.groups["age"]) == ["20 to 39", "60 or older", "0 to 9"]
        assert found.orders["age"] == ["0 to 9", "20 to 39", "60 or older"]
        assert list(found.labels) == [EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad"), -1]
        assert not found.skipped
        assert all(source.is_file() for source in found.sources)
    assert list((tmp_path / "temporary").iterdir()) == [], "an unpacked zip is deleted"


@PACKS
def test_a_path_with_dots(tmp_path, pack, monkeypatch):
    packed = pack(write_people(tmp_path / "people"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("FER_HOME", "../home")
    with open_grouped(Path("..") / packed.name) as found:
        assert found.names == ("anna.png", "ben.png", "cleo.png")
        assert all(source.is_file() for source in found.sources)


def test_names_as_utkface_has_them(tmp_path):
    for name in ("4_0_2_20170110.jpg", "45_1_0_20170111.jpg.chip.jpg", "20_1_4_x.png"):
        (tmp_path / name).write_bytes(picture())
    with open_grouped(tmp_path) as found:
        assert list(found.groups["age"]) == ["20 to 39", "40 to 59", "0 to 9"]
        assert list(found.groups["gender"]) == ["female", "female", "male"]
        assert list(found.groups["ethnicity"]) == ["other", "White", "Asian"]
        assert set(found.labels) == {-1}


def test_a_parquet_table_that_holds_its_pictures(tmp_path):
    table = pd.DataFrame({"file": ["a", "b", "c"], "jpeg": [picture(), None, picture(9)], "team": ["x", "y", "y"]})
    table.to_parquet(tmp_path / "faces.parquet")
    with open_grouped(tmp_path / "faces.parquet") as found:
        assert list(found.groups["team"]) == ["x", "y"]
        assert found.skipped == ("b: there is no such picture.",)


def test_columns_of_many_numbers_and_of_many_texts(tmp_path):
    cells = [f"{k * 1.5},P. {k},x" for k in range(28)] + ["42,P. 28,", ",P. 29,", "x,P. 30,"]
    with open_grouped(people_of(tmp_path, "income,name,team", cells)) as found:
        assert found.groups["income"].nunique() == 5  # three bands and
        assert found.orders["income"][-2:] == ["x", "unknown"]
        assert found.orders["team"] == ["x", "unknown"]
        assert found.skipped == (
            "income: 1 cells are empty; they are the group 'unknown'.",
            "The column name is left out: 31 different values in it, such as 'P. 0', cannot be groups. Expected "
            "at most 12 groups, or numbers.",
            "team: 3 cells are empty; they are the group 'unknown'.",
        )


def people_of(folder, columns, cells):
    """Write a table with a picture for each row of cells, as text."""
    lines = [f"file,{columns}"]
    for k, cell in enumerate(cells):
        (folder / f"p{k:02d}.png").write_bytes(picture())
        lines.append(f"p{k:02d}.png,{cell}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_groups_are_named_as_in_the_table(tmp_path):
    """None, NA, nan and null are words of the file; only an empty cell is unknown."""
    cells = ["None", "NA", "nan", "null", "N/A", "10", "9", "", "  "]
    with open_grouped(people_of(tmp_path, "mask", cells)) as found:
        assert found.orders["mask"] == ["9", "10", "N/A", "NA", "None", "nan", "null", "unknown"]
        assert list(found.groups["mask"]) == [*cells[:7], "unknown", "unknown"]
        assert found.skipped == ("mask: 2 cells are empty; they are the group 'unknown'.",)


def test_ages_as_texts_beside_numbers_are_groups(tmp_path):
    cells = ['"(25, 32)"', '"(0, 2)"', "35", "None", "61", "-1", "inf"]
    with open_grouped(people_of(tmp_path, "age", cells)) as found:
        assert list(found.groups["age"]) == ["(25, 32)", "(0, 2)", "20 to 39", "None", "60 or older", "unknown", "inf"]
        assert found.orders["age"] == ["20 to 39", "60 or older", "(0, 2)", "(25, 32)", "None", "inf", "unknown"]
        assert found.skipped == ("age: 1 cells are empty or negative; they are the group 'unknown'.",)


@pytest.mark.parametrize("as_folders", [True, False])
def test_an_eighth_expression_is_counted_and_the_seven_stay(tmp_path, as_folders):
    if as_folders:
        for path in (tmp_path / name / f"{k}.png" for name in ("happiness", "contempt") for k in range(3)):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(picture())
    else:
        people_of(tmp_path, "expression", ["contempt"] * 3 + ["happy"] * 3)
    with open_grouped(tmp_path) as found:
        assert sorted(found.labels.tolist()) == [-1] * 3 + [EXPRESSIONS.index("happy")] * 3
        assert found.groups.empty
        (note,) = found.skipped
        assert note.startswith("3 pictures are left out: 'contempt' is none of the expressions angry, disgust")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("who,gender\nanna.png,female\n", "cannot be used"),
        ("file,gender\nnobody.png,female\n", "No row of table.csv names a picture"),
        ("file,gender\n../secret.png,female\n", "No row of table.csv names a picture"),
        ("file,expression\nanna.png,bored\n", "has only unknown expressions"),
        ("", "is empty"),
        ("file,,gender\nanna.png,1\n", "has 2 columns. Expected 3"),
    ],
)
def test_unusable_tables_get_a_sentence(tmp_path, table, words):
    folder = write_people(tmp_path / "people")
    (tmp_path / "secret.png").write_bytes(picture())
    (folder / "table.csv").write_text(table)
    with pytest.raises(FerError, match=words), open_grouped(folder):
        pass


@pytest.mark.parametrize("content", ["", "file,,gender\nanna.png,1\n"])
def test_a_damaged_table_beside_class_folders_is_left_out(tmp_path, content):
    for path in (tmp_path / name / f"{k}.png" for name in ("happy", "sad") for k in range(2)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture())
    (tmp_path / "notes.csv").write_text(content)
    with open_grouped(tmp_path, labelled=True) as found:
        assert len(found) == 4
        assert found.skipped == ("The table notes.csv is not read: the folders name the expressions.",)


def test_other_files_get_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    (write_people(tmp_path / "people") / "more.csv").write_text("file\n")
    for name, words in (
        ("empty", "has no pictures"),
        ("nowhere", "no folder, zip or Parquet table"),
        ("people/anna.png", "no folder, zip or Parquet table"),
        ("bad.parquet", "cannot be read"),
        ("people", "several tables"),
    ):
        with pytest.raises(FerError, match=words), open_grouped(tmp_path / name):
            pass


@PACKS
def test_junk_is_no_picture_and_no_table(tmp_path, pack):
    folder = with_junk(write_people(tmp_path / "people"), picture())
    (folder / "@eaDir" / "other.csv").write_text("file\n")
    with open_grouped(pack(folder)) as found:
        assert found.names == ("anna.png", "ben.png", "cleo.png")
    (folder / "table.csv").unlink()
    for name in ("anna", "ben", "cleo"):
        (folder / f"{name}.png").rename(folder / f"20_0_1_{name}.png")
    with open_grouped(pack(folder)) as found:
        assert {name.rpartition("/")[2] for name in found.names} == {f"20_0_1_{n}.png" for n in ("anna", "ben", "cleo")}


@pytest.mark.parametrize(
    ("on_disk", "in_table"),
    [
        ("Zoe\u0308.png", "Zo\u00eb.png"),
        ("Zo\u00eb.png", "Zoe\u0308.png"),
        ("sub/a.png", ".\\sub\\a.png"),
        ("a.png", "./sub/../a.png"),
    ],
)
@PACKS
def test_names_are_compared_in_one_form(tmp_path, on_disk, in_table, pack):
    folder = tmp_path / "people"
    (folder / on_disk).parent.mkdir(parents=True)
    (folder / on_disk).write_bytes(picture())
    (folder / "table.csv").write_text(f"file,team\n{in_table},x\n", encoding="utf-8")
    with open_grouped(pack(folder)) as found:
        assert [source.read_bytes() for source in found.sources] == [picture()]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf8_is_readable_and_two_names_of_one_form_are_two_pictures(tmp_path):
    folder = os.fsencode(write_people(tmp_path / "people", table="file,team\ncaf%E9.png,x\n"))
    os.rename(folder + b"/anna.png", folder + b"/caf\xe9.png")  # noqa: PTH104 (a name in bytes)
    with open_grouped(tmp_path / "people") as found:
        assert found.names == ("caf%E9.png",)
    names = ("Zo\u00eb.png", "Zoe\u0308.png")  # of one normal form
    (tmp_path / "two").mkdir()
    for gray, name in enumerate(names):
        (tmp_path / "two" / name).write_bytes(picture(gray))
    table = "file,team\n" + "".join(f"{name},x\n" for name in names)
    (tmp_path / "two" / "table.csv").write_text(table, encoding="utf-8")
    with open_grouped(tmp_path / "two") as found:
        assert [source.read_bytes() for source in found.sources] == [picture(0), picture(1)]
