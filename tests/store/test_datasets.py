"""Data sets of one's own: the shapes of the field, tables with groups, and what cannot be used."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core.data import sample_portrait
from fer_core.labels import EXPRESSIONS
from fer_core.store.datasets import add_dataset, find_dataset, list_datasets, load_dataset, remove_dataset
from fer_core.types import FerError
from tests.own_data import affectnet, ck_plus, noise, raf_db, save


def counts(name):
    return load_dataset(name).counts().sum().tolist()


@pytest.mark.parametrize("packed", [False, True])
def test_numbered_classes_in_train_and_test(home, tmp_path, packed):
    faces = noise(4)
    place = raf_db(tmp_path / "raf", faces)
    if packed:
        place = shutil.make_archive(str(place), "zip", place)
    added = add_dataset("rafdb", type(tmp_path)(place), whole_image=True)
    dataset = load_dataset("rafdb")
    assert (dataset.name, dataset.splits, dataset.images.shape) == ("rafdb", ("Training", "Test"), (28, 48, 48))
    assert dataset.counts().loc["Test"].tolist() == np.bincount(faces.labels[1::2], minlength=7).tolist()
    assert added.tests().fingerprint == dataset.split("test").fingerprint
    assert added.tests_in_words == "Test of rafdb"
    place = int(added.test_pictures()["file"][0].split("_")[1])
    assert added.tests().labels[0] == faces.labels[place]
    assert np.corrcoef(added.tests().images[0].ravel(), faces.images[place].ravel())[0, 1] > 0.8
    assert set(dataset.rows) == {-1}
    assert any("read as in rafdb: 1 surprise, 2 fear" in note for note in added.record["notes"])
    assert any("train_labels.csv is not read" in note for note in added.record["notes"])


def test_words_with_contempt_and_no_splits(home, tmp_path):
    added = add_dataset("ck", ck_plus(tmp_path / "ck", noise(2)), whole_image=True)
    assert counts("ck") == [2, 2, 2, 2, 2, 2, 0]
    assert load_dataset("ck").splits == ("All",)
    assert len(added.tests()) == 12
    notes = " ".join(added.record["notes"])
    assert "1 pictures are left out: 'contempt' is none of the expressions" in notes
    assert "All has no face of neutral." in notes


def test_eight_numbered_classes_and_validation_as_the_test(home, tmp_path):
    save(noise(1).images[0], affectnet(tmp_path / "a", noise(3)) / "preview.png")
    added = add_dataset("affect", tmp_path / "a", whole_image=True)
    assert counts("affect") == [3] * 7
    assert len(added.tests()) == 7
    notes = " ".join(added.record["notes"])
    assert "read as in affectnet: 0 neutral, 1 happy" in notes
    assert "7 contempt. 2 pictures are left out: '7' is none" in notes
    assert "1 pictures without a class are left out" in notes


def test_a_table_with_splits_and_groups_and_names_of_jaffe(home, tmp_path):
    rows = []
    for place, face in enumerate(noise(2).images):
        save(face, tmp_path / "t" / f"{place}.png")
        group = "f" if place % 2 else "m"
        rows.append((f"{place}.png", EXPRESSIONS[place % 7].upper(), "test" if place > 6 else "train", group))
    table = pd.DataFrame(rows, columns=["image", "Emotion", "usage", "gender"])
    table.to_csv(tmp_path / "t" / "table.csv", index=False)
    added = add_dataset("table", tmp_path / "t" / "table.csv", whole_image=True)
    assert load_dataset("table").usage.tolist() == ["Training"] * 7 + ["Test"] * 7
    assert added.test_pictures()["gender"].tolist() == table["gender"].tolist()[7:]
    assert added.record["orders"] == {"gender": ["f", "m"]}
    for name in ("KA.AN1.39.tiff", "KA.SU2.40.tiff", "AF01HAS.JPG"):
        save(noise(1).images[0], tmp_path / "jaffe" / name)
    add_dataset("jaffe", tmp_path / "jaffe", whole_image=True)
    assert sorted(load_dataset("jaffe").labels) == [0, 3, 5]
    assert [dataset.name for dataset in list_datasets()] == ["jaffe", "table"]
    remove_dataset("table")
    with pytest.raises(FerError, match="Data sets here: jaffe"):
        load_dataset("table")


def test_faces_are_found_framed_and_turned(home, tmp_path, yunet_file):
    for name, turned in (("happy", 0), ("sad", 25)):
        (tmp_path / "p" / name).mkdir(parents=True)
        Image.fromarray(sample_portrait()).rotate(turned).save(tmp_path / "p" / name / "a.png")
    save(noise(1).images[0], tmp_path / "p" / "sad" / "none.jpg", side=300)
    (tmp_path / "p" / "scores.csv").write_text("name,score\na,1\n", encoding="utf-8")
    (tmp_path / "p" / "sad" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "p" / "fear").mkdir()
    record = add_dataset("people", tmp_path / "p").record
    happy, sad = load_dataset("people").images
    assert np.corrcoef(happy.ravel(), sad.ravel())[0, 1] > 0.9, "both are upright and framed in the same way"
    assert (record["faces"], record["faceless"], record["unread"], record["whole_image"]) == (2, 1, 1, False)
    notes = " ".join(record["notes"])
    for words in (
        "sad/none.jpg shows no face",
        "sad/broken.jpg",
        "The folder fear has no pictures",
        "scores.csv is not",
    ):
        assert words in notes


@pytest.mark.parametrize(
    ("folders", "settings", "words"),
    [
        (["cats", "dogs"], {}, "name no expressions.*Received: cats, dogs"),
        (["happy", "1"], {}, "by words and by numbers"),
        (["0", "3"], {}, "--numbers fer2013 or --numbers affectnet"),
        (["1", "3"], {"numbers": "mine"}, "Unknown numbers of expressions"),
        (["happy", "contempt"], {}, "only one class, 'happy'"),
        (["train/happy", "sad"], {}, "in no split, the others are"),
        ([""], {}, "name no expressions.*Received: bad"),
    ],
)
def test_what_cannot_be_used_gets_a_sentence_and_leaves_nothing(home, tmp_path, folders, settings, words):
    for folder in folders:
        save(noise(1).images[0], tmp_path / "bad" / folder / "a.png")
    with pytest.raises(FerError, match=words):
        add_dataset("bad", tmp_path / "bad", whole_image=True, **settings)
    assert not list_datasets()
    assert not list((home / "datasets").iterdir())


def test_numbers_can_be_given_and_names_are_checked(home, tmp_path):
    for number in ("0", "3"):
        save(noise(1).images[0], tmp_path / "n" / number / "a.png")
    for numbers, labels in (("fer2013", [0, 3]), ("affectnet", [5, 6])):
        add_dataset(f"as_{numbers}", tmp_path / "n", whole_image=True, numbers=numbers)
        assert sorted(load_dataset(f"as_{numbers}").labels) == labels
    taken = {"as_fer2013": "There is a data set as_fer2013 already", "fer2013": "names faces of FER2013 already"}
    for name, words in (taken | {"My data": "not a valid dataset name"}).items():
        with pytest.raises(FerError, match=words):
            add_dataset(name, tmp_path / "n", whole_image=True)
    (find_dataset("as_fer2013").folder / "faces.npz").write_bytes(b"PK")
    with pytest.raises(FerError, match="The data set as_fer2013 is damaged"):
        load_dataset("as_fer2013")
