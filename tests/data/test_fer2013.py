import gzip
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core import tables
from fer_core.data import VOTE_COLUMNS, DatasetMissing, FaceDataset, fer2013, find_fer2013, load_fer2013, load_ferplus
from fer_core.data.fer2013 import read_csv
from fer_core.types import FerError
from tests.data.conftest import csv_text, make_dataset, make_zip, png
from tests.junk import with_junk

GRAY = " ".join(["7"] * 2304)
TEXT = csv_text(make_dataset(2)).encode()


def assert_same(loaded: FaceDataset, expected: FaceDataset) -> None:
    assert loaded.fingerprint == expected.fingerprint
    np.testing.assert_array_equal(loaded.images, expected.images)
    assert (loaded.rows == -1).all()  # none of them is a face of FER2013


@pytest.fixture
def csv_file(tmp_path, small):
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text(small))
    return path


def test_csv_and_gzip_and_zip_and_folder_are_the_same(home, tmp_path, small, csv_file):
    for name in ("zip", "gz"):
        (tmp_path / name).mkdir()
    content = csv_file.read_bytes()
    files = [("fer2013/fer2013.csv", content), ("fer2013/README", b"hello")]
    zipped = make_zip(tmp_path / "zip" / "archive.zip", files)
    (tmp_path / "gz" / "fer2013.csv.gz").write_bytes(gzip.compress(content.replace(b"\n", b"\r\n")))
    for place in (csv_file, str(tmp_path), zipped, zipped.parent, tmp_path / "gz"):
        assert_same(load_fer2013(place), small)
    assert not list((home / "cache" / "visits").iterdir())


def test_environment_then_home(home, tmp_path, small, csv_file, monkeypatch):
    other = make_dataset(7, seed=3)
    (home / "fer2013").mkdir(parents=True)
    (home / "fer2013" / "fer2013.csv").write_text(csv_text(other))
    assert_same(load_fer2013(), other)
    monkeypatch.setenv("FER2013_PATH", str(csv_file))
    assert_same(load_fer2013(), small)


@pytest.mark.parametrize(
    "header", ["emotion, Usage, pixels, id", "\ufeffEmotion,USAGE,Pixels,Id", '"emotion","Usage","pixels","id"']
)
def test_other_column_orders_and_spellings(tmp_path, header):
    path = tmp_path / "icml_face_data.csv"
    path.write_text(f'{header}\r\n6,PrivateTest,"{GRAY}",x\r\n0,Training,{GRAY},y\r\n', newline="")
    dataset = read_csv(path)
    assert dataset.labels.tolist() == [6, 0]
    assert dataset.usage.tolist() == ["PrivateTest", "Training"]
    assert (dataset.images == 7).all()


BAD_ROWS = [
    (f"9,{GRAY},Training", r"Row 2 .* unknown emotion\. Expected a whole number from 0 to 6\. Received: '9'"),
    (f",{GRAY},Training", "unknown emotion.*Received: ''"),
    (f"3,{GRAY},Testing", r"Row 2 .* unknown Usage\. Expected one of Training, .* Received: 'Testing'"),
    (f"3,{GRAY[:-2]},Training", r"Row 2 .* wrong number of pixels\. Expected 2304 \(48 x 48\)\. Received: 2303"),
    ("3,,Training", "wrong number of pixels.*Received: 0"),
    (f"3,300{GRAY[1:]},Training", r"Row 2 .* pixel value out of range\. Expected 0 to 255\. Received: 300"),
    (f"3,-7{GRAY[1:]},Training", "pixel value out of range.*Received: -7"),
    (f"3,{'9' * 30}{GRAY[1:]},Training", "pixel value out of range"),
    (f"3,x{GRAY[1:]},Training", r"Row 2 .* not whole numbers\. Expected 2304 values .* Received: 'x 7 7"),
    (f"3,7.5{GRAY[1:]},Training", "pixels that are not whole numbers.*Received: '7.5 7"),
    (f"3,{GRAY}", "Row 2 .* has 2 columns. Expected 3"),
]


@pytest.mark.parametrize(("row", "message"), BAD_ROWS)
def test_bad_row(home, tmp_path, row, message):
    path = tmp_path / "fer2013.csv"
    path.write_text(f"emotion,pixels,Usage\n0,{GRAY},Training\n{row}\n")
    with pytest.raises(FerError, match=message) as caught:
        load_fer2013(path)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("fer2013.csv.gz", b"emotion,pixels,Usage\n", r"is named \.gz but not gzipped"),
        ("fer2013.csv", b"emotion,pixels,Usage\n", "has no rows below its header"),
        ("fer2013.csv", b"label,pixels,Usage\n", "has no column 'emotion'. Expected .* emotion, pixels, Usage"),
        ("fer2013.tar.gz", gzip.compress(b"x", mtime=0), "is a tar archive. Unpack it"),
        ("fer2013.zip", b"no zip", "is not a zip, or is damaged or cut off"),
        ("fer2013.csv.gz", gzip.compress(TEXT)[:-20], r"is damaged or cut off after \d+ rows"),
    ],
)
def test_bad_file(home, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FerError, match=message):
        load_fer2013(tmp_path / name)


def test_a_small_file_that_unpacks_to_a_large_one(home, tmp_path, monkeypatch):
    path = tmp_path / "fer2013.csv.gz"
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" + b"\n" * 5_000))
    monkeypatch.setattr(tables, "MAX_TEXT", 2_000)
    with pytest.raises(FerError, match=r"fer2013\.csv\.gz is too large\. Expected .* lines, blank ones included"):
        load_fer2013(path)


def test_nothing_there(home, tmp_path, monkeypatch):
    how = r"Get FER2013 with `fer-lab data download` \(about 60 MB from Kaggle\), or set the environment"
    with pytest.raises(DatasetMissing, match=f"FER2013 is not here yet. {how}"):
        load_fer2013()
    with pytest.raises(DatasetMissing, match=rf"gone does not exist\. {how}"):
        load_fer2013(tmp_path / "gone")
    with pytest.raises(DatasetMissing, match=rf"holds neither fer2013\.csv nor train/ and test/\. {how}"):
        load_fer2013(tmp_path)
    photos = make_zip(tmp_path / "photos.zip", [("holiday/a.png", png())])
    with pytest.raises(FerError, match=r"photos\.zip holds neither fer2013\.csv nor train/ and test/"):
        load_fer2013(photos)
    monkeypatch.setenv("FER2013_PATH", str(tmp_path / "gone.csv"))
    with pytest.raises(DatasetMissing, match=r"gone\.csv, named by FER2013_PATH, does not exist"):
        find_fer2013()


def test_image_edition(home, tmp_path, small, write_image_edition):
    root = write_image_edition(small)
    (root / "train" / "angry").rename(root / "train" / "Anger")
    assert_same(load_fer2013(root), small)
    files = [(f"top/{path.relative_to(root)}", path.read_bytes()) for path in root.rglob("*.png")]
    assert load_fer2013(make_zip(tmp_path / "a.zip", files)).fingerprint == small.fingerprint
    with_junk(root, png())
    (root / "train" / "happy" / "readme.txt").write_bytes(b"x")
    assert load_fer2013(root.parent).fingerprint == small.fingerprint


def test_image_edition_that_is_wrong(home, write_image_edition):
    root = write_image_edition(make_dataset(14))
    face, stray = root / "test" / "sad" / "PublicTest_11.png", root / "train" / "happy" / "PrivateTest_1.png"
    original = face.read_bytes()

    def refused(message):
        with pytest.raises(FerError, match=message):
            load_fer2013(root)

    face.write_bytes(original[:100])
    refused(r"test/sad/PublicTest_11\.png is damaged or cut off")
    face.write_bytes(png(64, 50))
    refused(r"PublicTest_11\.png is not a face of FER2013, .* 48 x 48.*Received: 50 x 64")
    face.write_bytes(original)
    face.rename(face.with_name("im7.png"))
    refused(r"split of test/sad/im7\.png is unclear\. Expected a file name PublicTest_… or PrivateTest_… in this")
    face.with_name("im7.png").rename(face)
    stray.write_bytes(png())
    refused(r"split of train/happy/PrivateTest_1\.png is unclear\. Expected a file name Training_… in this")
    stray.unlink()
    (root / "train" / "bored").mkdir()
    refused(r"folder train/bored is not named after an expression. Expected angry, disgust")
    for part in ("train", "test"):
        shutil.rmtree(root / part)
        (root / part).mkdir()
    refused(r"has no class folders. Expected angry, disgust")
    for part in ("train", "test"):
        (root / part / "happy").mkdir()
    refused("has class folders but no images")


def test_second_load_reads_the_cache_unless_the_source_has_changed(
    home, csv_file, small, monkeypatch, write_image_edition
):
    load_fer2013(csv_file)
    with monkeypatch.context() as patch:
        patch.setattr(fer2013, "read_csv", lambda _: pytest.fail("parsed again"))
        assert_same(load_fer2013(csv_file), small)
    other = make_dataset(21, seed=9)
    csv_file.write_text(csv_text(other))
    assert_same(load_fer2013(csv_file), other)
    relabelled = replace(other, labels=(other.labels + 1) % 7)
    stat = csv_file.stat()
    csv_file.write_text(csv_text(relabelled))  # same size; the time tells
    os.utime(csv_file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert_same(load_fer2013(csv_file), relabelled)
    assert len(list((home / "cache" / "fer2013").iterdir())) == 1
    root = write_image_edition(small)
    load_fer2013(root)
    (root / "train" / "angry" / "Training_0.png").rename(root / "train" / "sad" / "Training_0.png")
    assert load_fer2013(root).counts().loc["Training"].tolist() == [0, 1, 1, 1, 2, 1, 1]


def test_damaged_cache_is_built_again(home, csv_file, small, caplog):
    load_fer2013(csv_file)
    (kept,) = (home / "cache" / "fer2013").iterdir()
    data = bytearray(kept.read_bytes())
    data[len(data) // 2] ^= 0xFF
    for content in (b"", data[: len(data) // 2], data):
        kept.write_bytes(content)
        assert_same(load_fer2013(csv_file), small)
        assert "will be built again" in caplog.text
        caplog.clear()
        assert_same(load_fer2013(csv_file), small)
        assert not caplog.records


def test_without_a_cache_the_source_is_parsed(home, csv_file, small, monkeypatch, caplog):
    def refuse(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", refuse)
    assert_same(load_fer2013(csv_file), small)
    assert "could not be cached" in caplog.text
    assert not list((home / "cache" / "fer2013").iterdir())
    monkeypatch.setenv("FER_HOME", str(csv_file))
    assert_same(load_fer2013(csv_file), small)


STARTS = [b"", b"emotion,pixels,Usage\n", b"\x1f\x8b\x08", b"PK\x03\x04", TEXT[:9000], gzip.compress(TEXT)[:-3]]


@given(st.sampled_from(STARTS), st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_garbage_is_read_or_gives_one_sentence(tmp_path_factory, start, rest):
    path = tmp_path_factory.mktemp("csv") / "fer2013.csv"
    path.write_bytes(start + rest)
    try:
        read_csv(path)
    except FerError as error:
        assert "\n" not in str(error)


HEADER = "Usage,Image name," + ",".join(VOTE_COLUMNS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column 'Image name'. Expected the columns Image name, neutral.*Received: 'a, b'"),
        (HEADER.replace(",NF", "") + "\n", "has no column 'NF'"),
        (f"{HEADER}\nTraining,3.png,1,2,3,4,0,0,0,0,0,0\n", "names no face of FER2013. Expected names such as fer00"),
        (f"{HEADER}\nTraining,,1,2,3,4,0,0,0,0,0,0\nTraining,,0,2,3,4,0,0,0,0,0,0\n", "different votes in rows with"),
        (f"{HEADER}\nTraining,a,1,2,3,4,5,6,7,8,9,0\nTraining,b,1,-2,3,4,5,6,7,8,9,0\n",
         r"Row 2 \(below the header\) of votes\.csv has no valid votes for 'happiness'.*Received: '-2'"),
        (f"{HEADER}\nTraining,a,1,2,3,4,5,6,7,8,9,1.5\n", "Row 1 .* votes for 'NF'.*Received: '1.5'"),
        (f"{HEADER}\nTraining,a,1,2\n", "Row 1 .* has 4 columns. Expected 12"),
    ],
)  # fmt: skip
def test_bad_votes(tmp_path, text, message):
    path = tmp_path / "votes.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FerError, match=message):
        load_ferplus(path)


def test_where_votes_are_looked_for(home, tmp_path, monkeypatch):
    with pytest.raises(FerError, match=r"votes are not here. Get them with `fer-lab data download`"):
        load_ferplus()
    with pytest.raises(FerError, match=r"votes are not here.*Received: .*gone\.csv"):
        load_ferplus(tmp_path / "gone.csv")
    text = f"{HEADER}\nTraining,fer0000004.png,1,2,3,4,0,0,0,0,0,0\n"
    (home / "fer2013").mkdir(parents=True)
    (home / "fer2013" / "fer2013new.csv").write_text(text)
    assert np.flatnonzero(load_ferplus().votes.any(axis=1)).tolist() == [4]
    (tmp_path / "votes.csv").write_text(text.replace("fer0000004", "fer0000059"))
    monkeypatch.setenv("FERPLUS_PATH", str(tmp_path / "votes.csv"))
    assert np.flatnonzero(load_ferplus().votes.any(axis=1)).tolist() == [60]  # the picture of row 59 was removed


def test_votes_in_another_order_belong_to_the_same_faces(ferplus_path, tmp_path):
    """Also the 173 rows without a name, and the eight with a name that occurs twice."""
    header, *lines = ferplus_path.read_text().splitlines()
    expected = [[int(value) for value in line.split(",")[2:]] for line in lines]
    assert load_ferplus(ferplus_path).votes.tolist() == expected
    order = np.random.default_rng(0).permutation(len(lines))
    (tmp_path / "votes.csv").write_text("\n".join([header, *(lines[k] for k in order)]))
    assert load_ferplus(tmp_path / "votes.csv").votes.tolist() == expected
