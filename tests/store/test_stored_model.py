import io
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from fer_core.archives import Job
from fer_core.columns import CONSISTENCY_COLUMNS, DEGRADED_COLUMNS
from fer_core.store.folders import load_model, open_model, save_model, update_model
from fer_core.store.stored_model import CONSISTENCY, DEGRADED, FACE_MAP, HEADS, HISTORY, PREDICTIONS
from fer_core.types import FerError
from tests.made_up_store import degraded_table
from tests.store.test_folders import MINE, TABLE


@pytest.fixture
def save(tmp_path):
    """A function that saves a model of which some files are given."""

    def save(predictions=TABLE, **files):
        return save_model(tmp_path, MINE, weights=b"weights", predictions=predictions, **files)

    return save


def test_results_on_degraded_faces_come_back_to_the_last_digit(save):
    table = degraded_table(1 / 3)
    pd.testing.assert_frame_equal(save(degraded=table).degraded(), table)
    assert list(save().degraded().columns) == DEGRADED_COLUMNS


def test_a_map_of_faces_comes_back(save):
    table = pd.DataFrame({"row": [5, 6, 9], "x": [-80.5, 0, 1.25], "y": [0.5, 2, -3], "kept": [0, 10, 4]})
    small = table.astype({"row": "int32", "x": "float16", "y": "float16", "kept": "uint8"})
    model = save(face_map=small)
    assert model.has_face_map
    assert model.face_map().to_numpy().tolist() == table.to_numpy().tolist()
    update_model(model, face_map=small.head(1))
    assert open_model(model.folder).face_map()["row"].tolist() == [5]
    with pytest.raises(FerError, match=r"mine has no map of faces.* fer-lab evaluate mine --map --save"):
        save().face_map()


def test_both_heads_come_back(save):
    heads = np.random.default_rng(0).normal(size=(2, 5, 7)).astype("float32")
    model = save(heads=heads)
    assert model.has_heads
    np.testing.assert_array_equal(model.heads(), heads)
    with pytest.raises(FerError, match=r"has no heads .* fer-lab train mine"):
        save().heads()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


RESULTS, HEAD = degraded_table(0.5), np.zeros((2, 5, 7), "float32")
MAP = pd.DataFrame({"row": [5, 6], "x": [0.0, 1.0], "y": [0.0, 2.0], "kept": [0, 10]})
SAME = pd.DataFrame([("Made up", "age", "old", "blurred", 3, 1 / 3, 0.1, 0.7)], columns=CONSISTENCY_COLUMNS)
DAMAGED = {
    DEGRADED: [
        *(b"", b"\xff\xfe\x00", b"kind,accuracy\nnoise,0.5\n", b"half", b"," * 2_000_000),
        *(RESULTS.to_csv().replace(*pair).encode() for pair in (("0.5", "half"), ("1000", "9" * 30))),
    ],
    CONSISTENCY: [b"", b"data,by\na,b\n", SAME.to_csv().replace("0.7", "half").encode()],
    FACE_MAP: [
        *(b"", b"PAR1 half", MAP.drop(columns="kept").to_parquet()),
        *(MAP.assign(**change).to_parquet() for change in ({"row": 5}, {"x": np.inf}, {"y": "here"})),
    ],
    HEADS: [b"", b"\x93NUMPY half", b"PK\x03\x04", npy(HEAD[0]), npy(HEAD + np.inf), npy(HEAD.astype(str))],
}
AGAIN = {
    DEGRADED: "evaluate mine --degraded",
    CONSISTENCY: "audit FACES --model mine",
    FACE_MAP: "evaluate mine --map",
    HEADS: "train mine",
}


@pytest.mark.parametrize("file", DAMAGED)
def test_a_damaged_file_is_one_sentence_that_says_what_to_do(save, file):
    model = save(degraded=RESULTS, face_map=MAP, heads=HEAD)
    update_model(model, consistency=SAME)
    pd.testing.assert_frame_equal(model.consistency(), SAME)
    read = {DEGRADED: model.degraded, CONSISTENCY: model.consistency, FACE_MAP: model.face_map, HEADS: model.heads}[
        file
    ]
    assert len(read())
    for content in DAMAGED[file]:
        (model.folder / file).write_bytes(content)
        with pytest.raises(FerError, match=rf"{file} of mine is damaged: expected .* fer-lab {AGAIN[file]}"):
            read()


def test_missing_and_damaged_predictions_are_one_sentence(save):
    model = save()
    with pytest.raises(FerError, match=r"no stored predictions of private_test \(plain\)"):
        model.predictions("private_test")
    path = model.folder / PREDICTIONS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FerError, match=r"predictions\.parquet of mine is damaged"):
        model.all_predictions()
    for damaged in (TABLE.drop(columns="p_sad"), TABLE.drop(columns="split"), TABLE.assign(label="happy")):
        damaged.to_parquet(path)
        with pytest.raises(FerError, match=r"predictions\.parquet of mine is damaged: expected the columns row, split"):
            model.all_predictions()
    path.unlink()
    with pytest.raises(FerError, match=r"predictions\.parquet is missing"):
        model.predictions("public_test")


def test_a_history_of_millions_of_columns_is_not_read(save):
    model = save()
    (model.folder / HISTORY).write_bytes(b"epoch,loss\n" + b"1," * 1_000_000)
    with pytest.raises(ValueError, match="has 524289 columns"):
        model.history()


@pytest.fixture
def copied(tmp_path):
    """A copy of the default model that can be altered."""
    good = load_model()
    folder = tmp_path / good.name
    shutil.copytree(good.folder, folder, ignore=shutil.ignore_patterns("*.keras", "*.parquet"))
    return open_model(folder)


def alter(model):
    """Change one bit of a model's file, but not its size or time: it would still load, and answer wrongly."""
    content, times = bytearray(model.weights.read_bytes()), model.weights.stat()
    content[len(content) // 2] ^= 1
    model.weights.write_bytes(content)
    os.utime(model.weights, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    "door", [lambda model: model.classifier(), lambda model: Job.of("photos", model)], ids=["classifier", "archive"]
)
def test_a_file_that_is_not_the_one_of_the_card_is_refused(copied, door):
    door(copied)
    before = copied.version
    alter(copied)
    assert copied.version != before
    with pytest.raises(FerError, match=r"damaged or was changed: its SHA-256 is not the one in its card"):
        door(copied)
    copied.weights.unlink()
    with pytest.raises(FerError, match=r"model\.tflite of compact_cnn_student cannot be read"):
        door(copied)


def test_a_classifier_has_the_preprocessing_and_threshold_of_the_card(copied):
    classifier = copied.classifier()
    assert classifier.not_sure_below == copied.card.not_sure.below > 0
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    np.testing.assert_array_equal(
        classifier.predict(faces).probabilities, load_model().classifier(1).predict(faces).probabilities
    )
