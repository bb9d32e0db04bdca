"""The faces that a run learns from, and how long it will take."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from fer_core.data import FaceDataset, training_and_holdout
from fer_core.models import model_spec
from fer_core.runs.data import DataSettings, expected_faces, faces_per_class, fer2013_part, load_training_data
from fer_core.runs.estimate import GUESS, TIMINGS, duration_text, estimate, note_timing
from fer_core.store.datasets import add_dataset
from fer_core.training.recipe import Recipe
from fer_core.types import FerError
from tests.data.conftest import make_zip
from tests.own_data import ck_plus, noise, raf_db

CLASSES = [400, 44, 410, 722, 483, 317, 497]
"""Training faces of each class: a tenth of FER2013's."""


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    """FER2013 a tenth as large; the first two pixels of a face are its row."""
    labels = np.concatenate([np.repeat(np.arange(7), CLASSES), np.tile(np.arange(7), 20)])
    n = len(labels)
    images = np.zeros((n, 48, 48), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(n) // 256, np.arange(n) % 256
    usage = np.array(["Training"] * sum(CLASSES) + ["PublicTest"] * 70 + ["PrivateTest"] * 70)
    return FaceDataset(images, labels.astype(np.int64), usage, np.arange(n) + 40_000)


def counts(part: FaceDataset) -> list[int]:
    return np.bincount(part.labels, minlength=7).tolist()


def test_all_faces_are_the_protocol_and_a_part_keeps_the_shares(dataset):
    part, holdout = training_and_holdout(dataset)
    data = fer2013_part(dataset, None, balanced=False, seed=0)
    assert (data.training.fingerprint, data.holdout.fingerprint) == (part.fingerprint, holdout.fingerprint)
    assert sorted(set(data.tests.usage.tolist())) == ["PrivateTest", "PublicTest"]
    data = fer2013_part(dataset, 280, balanced=False, seed=0)
    whole = np.array(counts(part))
    assert len(data.training) == len(data.holdout) == 280
    assert np.abs(np.array(counts(data.training)) - 280 * whole / whole.sum()).max() < 1
    assert min(counts(data.holdout)) >= 1


def test_the_papers_split_learns_all_of_training_and_is_tested_on_publictest(dataset):
    data = fer2013_part(dataset, None, balanced=False, seed=0, papers_split=True)
    assert (len(data.training), len(data.holdout), len(data.tests)) == (sum(CLASSES), 70, 70)
    assert set(data.holdout.usage) == {"PrivateTest"} and set(data.tests.usage) == {"PublicTest"}
    assert data.papers_split and data.fingerprint != dataset.fingerprint
    part = fer2013_part(dataset, 280, balanced=False, seed=0, papers_split=True)
    assert (len(part.training), len(part.holdout), part.papers_split) == (280, 70, True)
    with pytest.raises(FerError, match="no PublicTest faces"):
        fer2013_part(dataset.subset(dataset.usage != "PublicTest"), None, balanced=False, seed=0, papers_split=True)


def test_equal_classes_as_far_as_they_go(dataset):
    assert counts(fer2013_part(dataset, 210, balanced=True, seed=0).training) == [30] * 7
    scarce = counts(training_and_holdout(dataset)[0])[1]  # fewer than 100
    part = counts(fer2013_part(dataset, 700, balanced=True, seed=0).training)
    assert (sum(part), part.pop(1)) == (700, scarce)
    assert max(part) - min(part) <= 1
    assert counts(fer2013_part(dataset, None, balanced=True, seed=0).training) == [scarce] * 7


def test_draws_are_seeded_and_lie_within_each_other(dataset):
    def rows(faces: int, seed: int) -> set[int]:
        return set(fer2013_part(dataset, faces, balanced=False, seed=seed).training.rows.tolist())

    assert rows(140, 1) == rows(140, 1) != rows(140, 2)
    assert rows(140, 1) < rows(1400, 1)
    assert not rows(1400, 1) & set(training_and_holdout(dataset)[1].rows.tolist())


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("wanted", [7, 70, 101, 2872])
def test_shares_add_up(wanted, balanced):
    available = np.array(CLASSES)
    shares = faces_per_class(available, wanted, balanced=balanced)
    assert ((shares >= 1) & (shares <= available)).all() and wanted <= shares.sum() <= wanted + 7


def test_settings_go_through_json_and_are_validated(home):
    settings = DataSettings("folder", path="/somewhere", whole_image=True)
    assert DataSettings(**json.loads(json.dumps(asdict(settings)))) == settings
    for values, message in [
        ({"source": "the web"}, "Unknown source of faces"),
        ({"source": "folder"}, "Expected the path of a folder or zip"),
        ({"faces": 3}, "Expected at least 70 faces"),
    ]:
        with pytest.raises(FerError, match=message):
            DataSettings(**values)
    with pytest.raises(FerError, match="Get FER2013 with"):
        load_training_data(DataSettings(faces=140))


def test_the_real_fer2013(home, monkeypatch, fer2013):
    monkeypatch.setattr("fer_core.runs.data.load_fer2013", lambda: fer2013)
    chosen = load_training_data(DataSettings(faces=700, balanced=True))
    assert (chosen.counts["training"].tolist(), chosen.warnings) == ([100] * 7, ())
    assert len(chosen.data.tests) == 2 * 3589
    thin = load_training_data(DataSettings(faces=140))
    assert "Too few pictures of disgust (2)" in thin.warnings[0]
    assert expected_faces(DataSettings(balanced=True)) == 7 * counts(training_and_holdout(fer2013)[0])[1]
    assert expected_faces(DataSettings()) == len(training_and_holdout(fer2013)[0])


def test_estimates_come_from_this_computer_or_say_that_they_guess(home):
    spec, recipe = model_spec("compact_cnn"), Recipe(epochs=10)
    guess = estimate(spec, recipe, faces=25_838)
    assert guess.basis == GUESS and 400 < guess.seconds < 600  # 64 epochs take 45 to 60 minutes on two cores
    note_timing(spec, recipe, faces=1000, per_face=0.001, preparing=12.0, measuring=8.0)
    note_timing(spec, recipe, faces=1000, per_face=0.003, preparing=10.0, measuring=8.0)
    measured = estimate(spec, recipe, faces=2000)
    assert measured.seconds == pytest.approx(0.002 * 2000 * 10 + 12 + 8)
    assert "2 earlier runs" in measured.basis
    frozen, other = Recipe(epochs=10, augmentation=None), model_spec("mobilenetv2_frozen")
    assert estimate(other, frozen, faces=2000).basis == GUESS
    note_timing(other, frozen, faces=1000, per_face=1e-5, preparing=50.0, measuring=8.0)
    assert estimate(other, frozen, faces=4000).seconds == pytest.approx(1e-5 * 4000 * 10 + 4 * 50 + 8)
    words = ["about 10 seconds", "about 40 seconds", "about a minute", "about 10 minutes", "about 2.0 hours"]
    assert [duration_text(seconds) for seconds in (3, 44, 60, 600, 7200)] == words
    for damage in ("", "[]", '{"compact_cnn 32 64 128 192": [3, {"x": 1}]}'):
        (home / TIMINGS).write_text(damage)
        assert estimate(spec, recipe, faces=100).basis == GUESS


def test_the_faces_of_a_zip_are_counted_by_their_names_whatever_their_size(tmp_path):
    pictures = [(f"{'happy' if number % 2 else 'sad'}/{number}.png", b"tiny") for number in range(6000)]
    path = make_zip(tmp_path / "tiny.zip", [*pictures, ("readme.txt", b"")])
    assert expected_faces(DataSettings("folder", path=str(path))) == 6000
    path.write_bytes(b"no zip" * 50_000)
    assert expected_faces(DataSettings("folder", path=str(path))) == 1


def test_a_data_set_of_ones_own_is_learned_without_its_tests(home, tmp_path):
    added = add_dataset("raf", raf_db(tmp_path / "raf", noise(8)), whole_image=True)
    settings = DataSettings("dataset", path="raf")
    loaded = load_training_data(settings)
    learned = {*loaded.data.training.ids, *loaded.data.holdout.ids}
    assert learned == set(added.load().split("train").ids)
    assert not learned & set(added.tests().ids)
    assert loaded.data.name == "own data set of whole pictures (raf)"
    assert expected_faces(settings) == 28
    assert not any("no test split" in words for words in loaded.warnings)
    add_dataset("ck", ck_plus(tmp_path / "ck", noise(8)), whole_image=True)
    assert any(
        "has no test split" in words for words in load_training_data(DataSettings("dataset", path="ck")).warnings
    )
    with pytest.raises(FerError, match="There is no data set of that name"):
        load_training_data(DataSettings("dataset", path="nobody"))
