import pytest

from fer_core.data import read_class_folders
from fer_core.types import FerError
from tests.data.conftest import make_zip, png


def fill(root, names, count=2):
    for name in names:
        (root / name).mkdir(parents=True)
        for index in range(count):
            (root / name / f"{index}.png").write_bytes(png(20 + index, 30, value=10 * index))
    return root


def test_folder(tmp_path):
    root, real = fill(tmp_path / "faces", ["Happiness", "angry"]), fill(tmp_path / "real", ["x"])
    (root / "sad").symlink_to(real / "x")
    found = read_class_folders(root)
    assert [path.parent.name for path in found.paths] == ["angry", "angry", "Happiness", "Happiness", "sad", "sad"]
    assert found.labels.tolist() == [0, 0, 3, 3, 4, 4]
    assert found.skipped == ()


def test_zip_is_unpacked_once_under_home(home, tmp_path):
    files = [(f"mine/{name}/{i}.png", png(value=i)) for name in ("happy", "sad") for i in range(3)]
    source = make_zip(tmp_path / "faces.zip", [*files, ("__MACOSX/mine/happy/._0.png", b"x")])
    first = read_class_folders(source)
    assert first.labels.tolist() == [3, 3, 3, 4, 4, 4]
    assert all(path.is_relative_to(home / "uploads") for path in first.paths)
    assert read_class_folders(str(source)).paths == first.paths
    assert len(list((home / "uploads").iterdir())) == 1


def test_unreadable_files_are_skipped_and_named(tmp_path):
    root = fill(tmp_path, ["happy", "sad"])
    (root / "happy" / "broken.jpg").write_bytes(png()[:50])
    (root / "happy" / "notes.txt").write_text("hello")
    (root / "happy" / "Thumbs.db").write_text("junk")
    (root / "loose.png").write_bytes(png())
    found = read_class_folders(root)
    assert len(found.paths) == 4
    expected = ("loose.png is outside", "happy/broken.jpg is damaged or cut off", "happy/notes.txt is not an image")
    assert all(reason.startswith(words) for reason, words in zip(found.skipped, expected, strict=True))


@pytest.mark.parametrize("names", [["happy/anna", "happy/ben", "sad"], ["happy", "happiness", "sad"]])
def test_a_class_may_have_several_folders(tmp_path, names):
    assert read_class_folders(fill(tmp_path, names)).labels.tolist() == [3, 3, 3, 3, 4, 4]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "has no class folders. Expected a folder for each expression, named angry, disgust.*Received: no folders"),
        (["cats", "dogs"], "has no class folders.*Received: cats, dogs"),
        (["happy"], "has only one class, 'happy'. Expected at least two expressions"),
        (["happy", "happiness"], "has only one class, 'happy'"),
        (["happy", "sad", "bored"], "The folder 'bored' in faces is not named after an expression. Rename"),
    ],
)
def test_wrong_folders(tmp_path, names, message):
    root = tmp_path / "faces"
    root.mkdir()
    with pytest.raises(FerError, match=message):
        read_class_folders(fill(root, names))


def test_too_few_images(tmp_path):
    root = fill(tmp_path / "faces", ["happy", "sad"])
    (root / "sad" / "1.png").write_bytes(b"")
    hint = r"1 files were skipped, the first because: sad/1\.png is empty"
    with pytest.raises(FerError, match=rf"class 'sad' in faces has too few .* at least 2\. Received: 1\. {hint}"):
        read_class_folders(root)


def test_a_missing_or_refused_zip_leaves_nothing(home, tmp_path):
    with pytest.raises(FerError, match=r"gone\.zip does not exist\. Expected a folder for each expression"):
        read_class_folders(tmp_path / "gone.zip")
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(FerError, match=r"a\.zip is not a zip, or is damaged or cut off"):
        read_class_folders(tmp_path / "a.zip")
    source = make_zip(tmp_path / "b.zip", [("happy/1.png", png()), ("happy/2.png", png())])
    with pytest.raises(FerError, match=r"b\.zip has only one class"):
        read_class_folders(source)
    assert not list((home / "uploads").iterdir())
