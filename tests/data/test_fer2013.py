from __future__ import annotations

import gzip
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core import tables
from fer_core.data import DatasetMissing, FaceDataset, fer2013, find_fer2013, load_fer2013
from fer_core.data.fer2013 import read_csv
from fer_core.types import FerError
from tests.data.conftest import csv_text, make_dataset, make_zip, png
from tests.junk import with_junk

GRAY = " ".join(["7"] * 2304)


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
    assert_same(load_fer2013(csv_file), small)
    assert_same(load_fer2013(str(tmp_path)), small)
    zipped = tmp_path / "zip" / "archive.zip"
    zipped.parent.mkdir()
    make_zip(zipped, [("fer2013/fer2013.csv", csv_file.read_bytes()), ("fer2013/README", b"hello")])
    assert_same(load_fer2013(zipped), small)
    assert_same(load_fer2013(zipped.parent), small)
    packed = tmp_path / "gz" / "fer2013.csv.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(csv_file.read_bytes()))
    assert_same(load_fer2013(packed.parent), small)
    assert not list((home / "cache" / "unpacked").iterdir())


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
    (f"happy,{GRAY},Training", "unknown emotion.*Received: 'happy'"),
    (f",{GRAY},Training", "unknown emotion.*Received: ''"),
    (f"3,{GRAY},Testing", r"Row 2 .* unknown Usage\. Expected one of Training, .* Received: 'Testing'"),
    (f"3,{GRAY[:-2]},Training", r"Row 2 .* wrong number of pixels\. Expected 2304 \(48 x 48\)\. Received: 2303"),
    (f"3,{GRAY} 7,Training", "wrong number of pixels.*Received: 2305"),
    ("3,,Training", "wrong number of pixels.*Received: 0"),
    (f"3,300{GRAY[1:]},Training", r"Row 2 .* pixel value out of range\. Expected 0 to 255\. Received: 300"),
    (f"3,-7{GRAY[1:]},Training", "pixel value out of range.*Received: -7"),
    (f"3,{'9' * 30}{GRAY[1:]},Training", "pixel value out of range"),
    (f"3,x{GRAY[1:]},Training", r"Row 2 .* not whole numbers\. Expected 2304 values .* Received: 'x 7 7"),
    (f"3,{GRAY[:-1]}x,Training", "pixels that are not whole numbers"),
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
        ("fer2013.csv", b"", r"fer2013\.csv is empty \(0 bytes\)"),
        ("fer2013.csv.gz", b"", "is empty"),
        ("fer2013.csv.gz", b"emotion,pixels,Usage\n", r"is named \.gz but not gzipped"),
        ("fer2013.csv.gz", b"\x1f\x8b\x08\x00 nonsense", "is damaged or cut off after 0 rows"),
        ("fer2013.csv", b"emotion,pixels,Usage\n", "has no rows below its header"),
        (
            "fer2013.csv",
            b"label,pixels,Usage\n",
            "no column 'emotion'. Expected the columns emotion, pixels, Usage",
        ),
        ("fer2013.csv", b"\n\n", "has only blank lines"),
        ("fer2013.csv", png(), "has no column 'emotion'"),
        ("fer2013.tar.gz", gzip.compress(b"x", mtime=0), "is a tar archive. Unpack it"),
        ("fer2013.zip", b"no zip", "is not a zip, or is damaged or cut off"),
    ],
)
def test_bad_file(home, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FerError, match=message):
        load_fer2013(tmp_path / name)


def test_truncated_gzip_and_one_that_unpacks_to_a_large_file(home, tmp_path, small, monkeypatch):
    path = tmp_path / "fer2013.csv.gz"
    content = gzip.compress(csv_text(small).encode())
    for share in (0.3, 0.99):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(FerError, match=r"is damaged or cut off after \d+ rows"):
            load_fer2013(path)
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" + b"\n" * 5_000))
    for limit, value in (("MAX_TEXT", 2_000), ("MAX_ROWS", 1_000)):
        monkeypatch.setattr(tables, limit, value)
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


def test_image_edition_without_classes_or_images(home, tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    with pytest.raises(FerError, match=r"has no class folders. Expected angry, disgust"):
        load_fer2013(tmp_path)
    for part in ("train", "test"):
        (tmp_path / part / "happy").mkdir()
    with pytest.raises(FerError, match="has class folders but no images"):
        load_fer2013(tmp_path)


def test_second_load_reads_the_cache_unless_the_source_has_changed(home, csv_file, small, monkeypatch):
    load_fer2013(csv_file)
    with monkeypatch.context() as patch:
        patch.setattr(fer2013, "read_csv", lambda _: pytest.fail("parsed again"))
        assert_same(load_fer2013(csv_file), small)
    other = make_dataset(21, seed=9)
    csv_file.write_text(csv_text(other))
    assert_same(load_fer2013(csv_file), other)
    relabelled = FaceDataset(other.images, (other.labels + 1) % 7, other.usage, other.rows)
    stat = csv_file.stat()
    csv_file.write_text(csv_text(relabelled))  # same size; the time tells
    os.utime(csv_file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert_same(load_fer2013(csv_file), relabelled)
    assert len(list((home / "cache" / "fer2013").iterdir())) == 1


def test_image_moved_to_another_class_is_read_again(home, small, write_image_edition):
    root = write_image_edition(small)
    load_fer2013(root)
    (root / "train" / "angry" / "Training_0.png").rename(root / "train" / "sad" / "Training_0.png")
    assert load_fer2013(root).counts().loc["Training"].tolist() == [0, 1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other"])
def test_damaged_cache_is_built_again(home, csv_file, small, damage, caplog):
    load_fer2013(csv_file)
    (kept,) = (home / "cache" / "fer2013").iterdir()
    data = bytearray(kept.read_bytes())
    data[len(data) // 2] ^= 0xFF
    contents = {"empty": b"", "cut": data[: len(data) // 2], "flipped": data, "other": b"hello" * 100}
    kept.write_bytes(contents[damage])
    with caplog.at_level(logging.WARNING):
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


@given(st.integers(1, 6), st.integers(0, 2**31), st.booleans(), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=25, deadline=None)
def test_any_dataset_survives_the_csv(tmp_path_factory, n, seed, packed, newline):
    dataset = make_dataset(n, seed)
    text = csv_text(dataset).replace("\n", newline).encode()
    path = tmp_path_factory.mktemp("csv") / "fer2013.csv"
    path.write_bytes(gzip.compress(text) if packed else text)
    assert_same(read_csv(path), dataset)


TEXT = csv_text(make_dataset(2)).encode()


@given(
    st.sampled_from(
        [b"", b"emotion,pixels,Usage\n", b"\x1f\x8b\x08", b"PK\x03\x04", TEXT[:9000], gzip.compress(TEXT)[:-3]]
    ),
    st.binary(max_size=200),
)
@settings(max_examples=150, deadline=None)
def test_garbage_is_read_or_gives_one_sentence(tmp_path_factory, start, rest):
    path = tmp_path_factory.mktemp("csv") / "fer2013.csv"
    path.write_bytes(start + rest)
    try:
        read_csv(path)
    except FerError as error:
        assert "\n" not in str(error)


def test_importing_the_room_is_light():
    heavy = ("tensorflow", "keras", "sklearn", "kagglehub")
    code = f"import sys, fer_core.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
