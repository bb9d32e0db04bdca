"""Class folders in every shape, read by `open_grouped` for a training or a data set."""

import numpy as np
import pytest

from fer_core.data.pictures import open_grouped
from fer_core.types import FerError
from tests.data.conftest import make_zip, png


def fill(root, names, count=2):
    for name in names:
        (root / name).mkdir(parents=True)
        for index in range(count):
            (root / name / f"{index}.png").write_bytes(png(20 + index, 30, value=10 * index))
    return root


def read(place, **settings):
    """What is read, as the class of each picture by its name, and all of it."""
    with open_grouped(place, labelled=True, **settings) as found:
        classes = np.array([*found.classes, None])[found.labels]
        return dict(zip(found.names, classes, strict=True)), found


@pytest.mark.parametrize("own_classes", [False, True])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Happiness", "angry"], ["happy", "angry"]),
        (["happy/anna", "happy/ben", "sad"], ["happy", "happy", "sad"]),
        (["anna/happy", "ben/happiness", "ben/sad"], ["happy", "happy", "sad"]),
        (["mine/train/anger", "mine/test/joy"], ["angry", "happy"]),
    ],
)
def test_expressions_are_the_seven_wherever_they_stand(tmp_path, names, expected, own_classes):
    classes, found = read(fill(tmp_path / "faces", names), own_classes=own_classes)
    assert [classes[f"{name}/0.png"] for name in names] == expected
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["study/pain", "study/Anger", "study/sad"], ["pain", "Anger", "sad"]),
        (["pain/anna", "pain/ben", "no pain"], ["pain", "pain", "no pain"]),
        (["train/1", "train/2", "test/2"], ["1", "2", "2"]),
    ],
)
def test_other_names_are_classes_if_that_is_asked_for(tmp_path, names, expected):
    source = make_zip(tmp_path / "z.zip", [(f"{name}/{k}.png", png(value=k)) for name in names for k in (0, 1)])
    classes, found = read(source, own_classes=True)
    assert [classes[f"{name}/1.png"] for name in names] == expected
    assert found.classes == tuple(sorted({*expected}))


def test_a_table_names_classes_of_its_own(tmp_path):
    fill(tmp_path, ["p"], 3)
    (tmp_path / "t.csv").write_text("file,expression\np/0.png,calm\np/1.png,confused\np/2.png,\n")
    assert list(read(tmp_path, own_classes=True)[0].values()) == ["calm", "confused", None]


def test_files_without_a_class_have_no_label_and_links_are_followed(tmp_path):
    root, real = fill(tmp_path / "faces", ["happy", "angry"]), fill(tmp_path / "real", ["x"])
    (root / "sad").symlink_to(real / "x")
    (root / "loose.png").write_bytes(png())
    for name in ("notes.txt", "Thumbs.db"):
        (root / "happy" / name).write_text("junk")
    classes, _ = read(root)
    assert [name for name, label in classes.items() if label is None] == ["loose.png"]
    assert (len(classes), classes["sad/1.png"]) == (7, "sad")


@pytest.mark.parametrize(
    ("names", "own_classes", "message"),
    [
        ([], False, "has no pictures. Expected a folder for each expression"),
        (["cats", "dogs"], False, "name no expressions.*--own-classes. Received: cats, dogs"),
        (["cats"], True, "name fewer than two classes"),
        (["happy", "happiness"], False, "has only one class, 'happy'. Expected at least two"),
        ([f"class {number}" for number in range(11)], True, "2 to 10 classes. Received: 11"),
        (["Pain", "pain"], True, "differ only in case"),
        (["pain", "=1+1"], True, "needs a name"),
    ],
)
def test_wrong_folders(tmp_path, names, own_classes, message):
    root = tmp_path / "faces"
    root.mkdir()
    with pytest.raises(FerError, match=message):
        read(fill(root, names), own_classes=own_classes)
