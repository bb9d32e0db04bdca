"""What a training stores, which file it serves, and to whom a run's folder belongs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fer_core.data import FaceDataset, FerPlusVotes
from fer_core.inference import Prediction
from fer_core.models import build_network, model_spec
from fer_core.store.stored_model import KERAS
from fer_core.training import train as module
from fer_core.training.callbacks import HISTORY
from fer_core.training.data import PAPERS_RULE, TrainingData
from fer_core.training.export import to_litert
from fer_core.training.initial_weights import read_keras
from fer_core.training.recipe import Recipe
from fer_core.training.targets import class_frequencies
from fer_core.training.train import choose_storage, claim_folder, named_spec, run_identity, train, train_named
from fer_core.types import FerError
from tests.training.conftest import store, with_votes

ONE_EPOCH = Recipe(epochs=1, batch_size=16, ema=0.0, augmentation=None, mixed_precision=False)


def faces_of(split: str, count: int) -> FaceDataset:
    images = np.random.default_rng(count).integers(0, 256, (count, 48, 48)).astype(np.uint8)
    return FaceDataset(images, np.arange(count) % 7, np.full(count, split), np.full(count, -1))


@pytest.fixture
def data():
    tests = [faces_of("PublicTest", 8), faces_of("PrivateTest", 9)]
    parts = [np.concatenate([getattr(part, name) for part in tests]) for name in ("images", "labels", "usage", "rows")]
    return TrainingData(faces_of("Training", 14), faces_of("Training", 7), FaceDataset(*parts))


@pytest.fixture
def one_conversion(monkeypatch):
    """Store weights in one way: each takes a conversion of seconds."""
    monkeypatch.setattr(module, "QUANTIZATIONS", ("float32",))


@pytest.fixture(scope="module")
def converted(tiny_network):
    return to_litert(tiny_network, 48)


@pytest.fixture
def no_fit(monkeypatch, converted):
    """Leave out fitting, but for what it writes, and converting: each file is that of the tiny network."""
    history = "epoch,loss,val_loss\n0,2.0,1.5\n"
    monkeypatch.setattr(module, "fit", lambda *_, folder, **__: (folder / HISTORY).write_text(history))
    monkeypatch.setattr(module, "to_litert", lambda *_, **__: converted)


@pytest.mark.usefixtures("one_conversion")
def test_a_model_of_two_heads_has_both_and_serves_their_blend(tiny_spec, home, tmp_path, bright_and_dark):
    few = bright_and_dark.subset(np.arange(32))
    faces = with_votes(few, few.labels)
    recipe, parts = replace(ONE_EPOCH, target="both"), TrainingData(faces, faces)
    model = train(tiny_spec, parts, recipe=recipe, root=tmp_path, folder=tmp_path / "run")
    facts = model.card.training
    share, correction, scale = facts["votes_share"], facts["frequency_correction"], 1 / facts["temperature"]
    labels, votes = model.heads().astype(np.float64)
    kernel, bias = read_keras(model.folder / KERAS).get_layer("head").get_weights()
    np.testing.assert_allclose(kernel, scale * ((1 - share) * labels + share * votes)[:-1], atol=4e-3)  # as float16
    often = np.log(class_frequencies(faces))
    expected = (1 - share) * (labels[-1] - correction * often[0]) + share * (votes[-1] - correction * often[1])
    np.testing.assert_allclose(bias, scale * expected, rtol=2e-3, atol=2e-3)
    size = (model.folder / KERAS).stat().st_size
    again = train(tiny_spec, parts, recipe=recipe, root=tmp_path, folder=tmp_path / "run", ship=True)
    np.testing.assert_allclose(again.heads(), model.heads(), atol=1e-6)  # the run was finished: nothing is fitted again
    assert (again.folder / KERAS).stat().st_size < 0.8 * size


@pytest.mark.usefixtures("one_conversion", "no_fit")
def test_a_model_of_the_papers_split_is_measured_on_publictest_alone(tiny_spec, home, tmp_path):
    parts = [faces_of(split, count) for split, count in (("Training", 14), ("PrivateTest", 9), ("PublicTest", 8))]
    whole = [np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels", "usage", "rows")]
    data = TrainingData.of(FaceDataset(*whole), papers_split=True)
    spec = named_spec(tiny_spec, ending="papers_split")
    model = train_named(spec, data, root=tmp_path, run=tmp_path / "run", recipe=ONE_EPOCH)
    assert model.name == f"{tiny_spec.name}_papers_split"
    assert set(model.card.metrics) == {"public_test"} and not (model.folder / "degraded.csv").exists()
    assert "PrivateTest" in model.card.training["holdout"]
    assert set(model.all_predictions()["split"]) == {"public_test"}


@pytest.mark.usefixtures("one_conversion", "no_fit")
def test_a_model_that_learned_from_one_that_saw_the_holdout_has_no_score(tiny_spec, tiny_network, home, tmp_path):
    folder = store("master", tiny_network, tiny_spec)
    faces = with_votes(faces_of("Training", 14), np.arange(14) % 7)
    spec, told = replace(tiny_spec, weights_from="master"), []
    given = {"recipe": ONE_EPOCH, "root": tmp_path, "say": told.append}
    assert train(spec, TrainingData(faces, faces), folder=tmp_path / "one", **given).card.holdout_score > 0
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "training": {"holdout": PAPERS_RULE}}))
    model = train(spec, TrainingData(faces, faces), folder=tmp_path / "two", **given)
    assert (model.card.holdout_score, model.card.not_sure) == (None, None)
    assert any("is not scored on the hold-out: it learned from master" in text for text in told)


@pytest.mark.usefixtures("one_conversion", "no_fit")
@pytest.mark.parametrize(
    ("start", "ship", "served", "archived"),
    [("random", False, True, True), ("utkface", True, True, False), ("imagenet", True, False, False)],
)
def test_what_is_shipped_depends_on_where_it_starts(
    tiny_spec, data, home, tmp_path, monkeypatch, start, ship, served, archived
):
    monkeypatch.setattr(module, "initial_network", lambda spec, _: build_network(replace(spec, weights_from="random")))
    monkeypatch.setattr(module, "pretraining_note", lambda _: None)
    spec, told = replace(tiny_spec, weights_from=start), []
    model = train(spec, data, recipe=ONE_EPOCH, root=tmp_path, ship=ship, mapped=True, say=told.append)
    assert model.servable is served
    assert (model.folder / KERAS).is_file() is archived
    assert (model.card.served is None) is not served
    assert model.card.measured.startswith("on the served LiteRT file" if served else "on the LiteRT file, which is not")
    facts = model.card.served if served else model.card.measured_file
    assert facts["storage"] == "float32"
    assert (len(model.predictions("public_test")), len(model.predictions("private_test"))) == (8, 9)
    assert len(model.degraded()) == 26
    assert model.history()["val_loss"].tolist() == [1.5]
    assert (home / "runs" / "tiny-seed0" / "spec.json").is_file()
    assert told[0] == "Fitting Tiny on 14 faces, 1 epoch"
    assert told[-1].startswith("There will be no map of faces.")  # rows of the faces are unknown


@pytest.mark.parametrize(
    ("correct", "chosen"),
    [
        ({"float32": 800, "int8": 798}, "int8"),
        ({"float32": 800, "int8": 797, "int8_weights": 801}, "int8_weights"),
        ({"float32": 800, "int8": 700, "int8_weights": 700, "float16": 797}, "float32"),
    ],
)
def test_the_smallest_file_that_loses_little_is_served(tiny_spec, monkeypatch, correct, chosen):
    holdout = faces_of("Training", 1000)

    class Served:
        def __init__(self, content, preprocessing, classes):
            self.correct = correct[content.decode()]

        def predict(self, images):
            answers = np.where(np.arange(len(images)) < self.correct, holdout.labels, (holdout.labels + 1) % 7)
            return Prediction(np.eye(7, dtype=np.float32)[answers], None)

    monkeypatch.setattr(module, "to_litert", lambda *arguments, **_: arguments[-1].encode())
    monkeypatch.setattr(module, "Classifier", Served)
    content, facts = choose_storage(None, tiny_spec, holdout)
    assert (content.decode(), facts["storage"], facts["size_bytes"]) == (chosen, chosen, len(chosen))
    assert facts["holdout_accuracy"] == {name: count / 1000 for name, count in correct.items()}


def test_a_named_training_says_so_in_its_name(data, tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(module, "train", lambda spec, _, **settings: given.update(settings, spec=spec))
    train_named(model_spec("compact_cnn"), data, root=tmp_path, epochs=3, seed=0, trial=True)
    assert (given["spec"].name, given["spec"].title) == ("compact_cnn_seed0_trial", "Small CNN, seed 0, trial")
    assert (given["recipe"].epochs, given["recipe"].seed, given["mapped"]) == (3, 0, True)


def test_other_weights_of_the_same_name_and_other_votes_are_another_run(tiny_spec, home, tmp_path):
    faces = faces_of("Training", 2)
    data, recipe = TrainingData(faces, faces), Recipe(epochs=1, teachers=("master",))
    network = build_network(replace(tiny_spec, weights_from="master"))
    plain = run_identity(network, tiny_spec, recipe=replace(recipe, teachers=()), data=data)
    assert set(plain) == {"spec", "recipe", "data", "votes", "unlabelled"}, "random weights follow from the seed"
    identities = []
    for _ in range(2):
        folder = store("master", build_network(tiny_spec), tiny_spec)
        spec = replace(tiny_spec, weights_from="master")
        identities.append(run_identity(network, spec, recipe=recipe, data=data))
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    first, second = identities
    assert first["start"] == second["start"]
    assert first["teacher master"] != second["teacher master"]
    claim_folder(tmp_path / "run", first)
    claim_folder(tmp_path / "run", first)
    with pytest.raises(FerError, match="or from other weights"):
        claim_folder(tmp_path / "run", second)
    older = {key: value for key, value in first.items() if key != "teacher master"}
    (tmp_path / "run" / "spec.json").write_text(json.dumps(older))  # as an older version wrote it
    claim_folder(tmp_path / "run", second)
    voted = [replace(faces, votes=FerPlusVotes(np.full((2, 10), count))) for count in (1, 2)]
    alone, *both = (
        run_identity(network, tiny_spec, recipe=Recipe(epochs=1, target=target), data=TrainingData(part, part))
        for target, part in (("labels", voted[0]), ("both", voted[0]), ("both", voted[1]))
    )
    assert alone["votes"] is None
    assert both[0]["votes"] != both[1]["votes"]


def test_a_run_with_other_faces_is_another_run(tiny_spec, tmp_path):
    faces, path = faces_of("Training", 2), tmp_path / "run" / "spec.json"
    one, more = (
        run_identity(None, tiny_spec, recipe=ONE_EPOCH, data=TrainingData(faces, faces, unlabelled=extra))
        for extra in (None, faces.images)
    )
    for first, second in ((one, more), (more, one)):
        claim_folder(tmp_path / "run", first)
        claim_folder(tmp_path / "run", first)
        with pytest.raises(FerError, match="another model, recipe or dataset"):
            claim_folder(tmp_path / "run", second)
        path.unlink()
    older = {key: value for key, value in one.items() if value is not None}
    path.write_text(json.dumps(older))
    with pytest.raises(FerError, match="another model, recipe or dataset"):
        claim_folder(tmp_path / "run", more)
    claim_folder(tmp_path / "run", one)
    assert json.loads(path.read_text()) == json.loads(json.dumps(one))
