import io
import shutil
import stat
import zipfile

import pytest

from fer_core.data import extract_zip
from fer_core.data.folders import entries, files_in
from fer_core.types import FerError
from tests.data.conftest import make_zip, png
from tests.junk import JUNK, with_junk


def test_unpacks_files_and_folders_from_a_path_or_a_stream(tmp_path):
    zipped = make_zip(tmp_path / "a.zip", [("one.txt", b"1"), ("deep/er/two.txt", b"2"), ("__MACOSX/._one.txt", b"x")])
    for number, source in enumerate((zipped, str(zipped), io.BytesIO(zipped.read_bytes()))):
        target = extract_zip(source, tmp_path / str(number))
        files = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
        assert files == {"one.txt", "deep/er/two.txt"}
        assert (target / "deep/er/two.txt").read_bytes() == b"2"


def refused(folder, source, message, **limits):
    """Unpack a zip, or a list of its files, into a folder that is not there, and is not there afterwards."""
    source = make_zip(folder / "a.zip", source) if isinstance(source, list) else source
    with pytest.raises(FerError, match=message):
        extract_zip(source, folder / "out", **limits)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "C:\\evil.txt"])
def test_paths_that_lead_out(tmp_path, name):
    refused(tmp_path, [("fine.txt", b"1"), (name, b"2")], r"a\.zip holds a path that leads out of its folder .*evil")
    assert not list(tmp_path.glob("**/evil*"))


def test_symlink_and_encryption(tmp_path):
    link = zipfile.ZipInfo("innocent")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(tmp_path, [(link, "/etc/passwd")], r"holds a link \('innocent'\)")
    data = bytearray(make_zip(tmp_path / "a.zip", [("one.txt", b"1")]).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    refused(tmp_path, io.BytesIO(data), r"The zip is encrypted\. Pack it again without a password")


def test_bombs(tmp_path):
    refused(tmp_path, [("zeros", bytes(80 * 1024**2))], r"looks like a zip bomb: 0\.1 MB would unpack to 84 MB")
    files = [(f"{i}.txt", bytes(3_000_000)) for i in range(3)]
    message = r"would unpack to too much\. Expected at most 5 MB.* Received: 9 MB"
    refused(tmp_path, files, message, max_bytes=5_000_000)
    refused(tmp_path, files, r"too many files\. Expected at most 2\. Received: 3", max_files=2)
    data = make_zip(tmp_path / "a.zip", [("zeros", bytes(1_000_000))]).read_bytes()
    lied = data.replace((1_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    refused(tmp_path, io.BytesIO(lied), "not a zip, or is damaged or cut off")  # no more is written than declared


def test_what_is_no_zip_leaves_nothing(tmp_path):
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        archive.writestr("good.txt", b"good")
        archive.writestr("bad.txt", b"FINDME" * 10)
    good, source = (tmp_path / "good.zip").read_bytes(), tmp_path / "a.zip"
    damaged = good.replace(b"FINDME", b"LOSTME", 1)
    for content in (b"", b"not a zip", b"PK\x03\x04 but no more", good[:-40], damaged):
        source.write_bytes(content)
        refused(tmp_path, source, r"a\.zip is not a zip, or is damaged or cut off")
    refused(tmp_path, [], r"a\.zip is an empty zip\. Expected files in it")
    refused(tmp_path, tmp_path / "gone.zip", r"gone\.zip does not exist\. Expected a zip file")
    refused(tmp_path, tmp_path, "cannot be unpacked")


def test_target_with_files_is_left_alone(tmp_path):
    source = make_zip(tmp_path / "a.zip", [("one.txt", b"1")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FerError, match=r"the folder is not empty. Name a new one"):
        extract_zip(source, tmp_path / "out")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_same_name_twice(tmp_path):
    message = r"a\.zip holds two files of the same name, or of names that differ only in case or Unicode form \('a'\)"
    refused(tmp_path, [("a", b"1"), ("a/b", b"2")], message)
    refused(tmp_path, [("Zo\u00eb.png", b"1"), ("Zoe\u0308.png", b"2")], "two files of the same name")


def test_a_zip_as_powershell_5_writes_it(tmp_path):
    """Backslashes, also at the end of a folder's entry, which then looks like an empty file."""
    names = ["faces\\angry\\", "faces\\sad\\", "faces\\angry\\0.png", "faces\\happy\\1.png"]
    files = [(name, b"x" * name.endswith("png")) for name in names]
    target = extract_zip(make_zip(tmp_path / "a.zip", files), tmp_path / "out")
    assert {path.name for path in (target / "faces").iterdir()} == {"angry", "sad", "happy"}
    assert files_in(target) == [target / "faces/angry/0.png", target / "faces/happy/1.png"]
    shutil.rmtree(target)
    refused(tmp_path, files[:2], "is an empty zip")


def test_junk_is_not_unpacked(tmp_path):
    files = [("mine/a.png", b"1"), *((f"mine/{name}", b"x") for name in JUNK)]
    target = extract_zip(make_zip(tmp_path / "a.zip", files), tmp_path / "out", max_files=1)
    assert [path.name for path in target.rglob("*") if path.is_file()] == ["a.png"]
    shutil.rmtree(target)
    refused(tmp_path, files[1:], "is an empty zip")


@pytest.mark.parametrize("says_utf8", [True, False])
def test_names_in_other_scripts_get_one_form(tmp_path, says_utf8):
    """As the Finder of macOS writes them: decomposed, and without the flag that says that they are UTF-8."""
    source = make_zip(tmp_path / "a.zip", [("Zoe\u0308.png", b"1"), ("表情.png", b"2")])
    if not says_utf8:
        data = source.read_bytes()
        for head, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = -1
            while (at := data.find(head, at + 1)) >= 0:
                data = data[: at + flags] + bytes(2) + data[at + flags + 2 :]
        source.write_bytes(data)
        assert "Zoe\u0308.png" not in zipfile.ZipFile(source).namelist()
    target = extract_zip(source, tmp_path / "out")
    assert sorted(path.name for path in target.iterdir()) == ["Zo\u00eb.png", "表情.png"]


def test_names_of_windows_are_kept(tmp_path):
    """Without the flag and not UTF-8, they are in the old code page that zips began with."""
    source = make_zip(tmp_path / "a.zip", [("Zo#.png", b"1")])
    source.write_bytes(source.read_bytes().replace(b"Zo#", b"Zo\x89"))
    assert [path.name for path in extract_zip(source, tmp_path / "out").iterdir()] == ["Zo\u00eb.png"]


def test_files_of_all_folders_without_junk(tmp_path):
    for name in ("b.png", "a/z.png", "a/deep/er/1.png", "@eaDir.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png())
    (tmp_path / "empty").mkdir()
    with_junk(tmp_path, png())
    assert files_in(tmp_path / ".thumbnails")  # a folder that is named like junk is read when it is asked for
    assert files_in(tmp_path) == [tmp_path / name for name in ("@eaDir.png", "a/deep/er/1.png", "a/z.png", "b.png")]
    assert [path.name for path in entries(tmp_path)] == ["@eaDir.png", "a", "b.png", "empty"]


def test_links_are_followed_and_each_folder_is_read_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(png())
    inside = tmp_path / "links"
    (inside / "more").mkdir(parents=True)
    for link, place in {"a.png": "real/a.png", "gone.png": "nowhere", "one": "real", "two": "real"}.items():
        (inside / link).symlink_to(tmp_path / place)
    (inside / "more" / "round").symlink_to(inside)
    assert files_in(inside) == [inside / "a.png", inside / "one" / "a.png"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    for walk in (files_in, entries):
        with pytest.raises(FerError, match=r"The folder .*gone cannot be read \(No such file or directory\)"):
            walk(tmp_path / "gone")
