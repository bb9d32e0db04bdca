"""Train a model: from its recipe and its faces to a network, the file that is served, its card and the store."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import pandas as pd

from fer_core.columns import counted
from fer_core.data import FaceDataset
from fer_core.files import home, write_json
from fer_core.inference import Classifier
from fer_core.measuring.measure import holdout_facts, no_predictions, not_new_by_others, predict_splits
from fer_core.measuring.robustness import measure_degraded, robustness_faces
from fer_core.models import ModelSpec, build_network
from fer_core.models.backbones import weights_digest
from fer_core.models.diagram import network_blocks
from fer_core.models.networks import backbone_of
from fer_core.models.spec import PRETRAINED
from fer_core.store.folders import save_model
from fer_core.store.stored_model import StoredModel
from fer_core.training.baselines import Say, store_ensemble, train_baseline
from fer_core.training.callbacks import Clock, read_history
from fer_core.training.data import TrainingData, make_card
from fer_core.training.export import QUANTIZATIONS, Quantization, keras_archive, to_litert
from fer_core.training.face_map import face_map
from fer_core.training.fit import fit, precision
from fer_core.training.initial_weights import (
    initial_network,
    initial_two_heads,
    pretraining_note,
    stored_network,
    vggface2_weights,
)
from fer_core.training.recipe import WITHOUT_RECIPE, Recipe, named_recipe, uses_features
from fer_core.training.targets import heads_of, set_blended_head
from fer_core.types import FerError


def train_named(
    spec: ModelSpec,
    data: TrainingData,
    *,
    root: Path,
    recipe: Recipe | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    trial: bool = False,
    run: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    say: Say = lambda _: None,
    ship: bool = False,
) -> StoredModel:
    """Train a named model by its own recipe, unless another is given: what `fer-lab train` does.

    Args:
        recipe: instead of the model's own; there is then no map of the test faces.
        seed: instead of the recipe's; the model is then stored as `<name>_seed<seed>`.
        trial: store the model as `<name>_trial`, so that it does not replace a good one.
        run: folder of the run; it and the others are as for `train`.

    Raises:
        FerError: epochs, a run's folder or faces without labels are given for a baseline or an ensemble, which does not
            use them.
    """
    mapped = recipe is None
    recipe = recipe or named_recipe(spec)
    spec = named_spec(spec, seed=seed, trial=trial)
    if spec.architecture in WITHOUT_RECIPE:
        if epochs is not None or run is not None or data.unlabelled is not None:
            raise FerError(f"{spec.name} is not trained in epochs: leave out --epochs, --run and --unlabelled.")
        if spec.architecture == "ensemble":
            return store_ensemble(spec, data, root=root, say=say)
        return train_baseline(spec, data, root=root, seed=seed or 0, say=say)
    epochs, seed = recipe.epochs if epochs is None else epochs, recipe.seed if seed is None else seed
    recipe = replace(recipe, epochs=epochs, seed=seed)
    given: dict[str, Any] = {"folder": run, "callbacks": callbacks, "say": say, "ship": ship, "mapped": mapped}
    return train(spec, data, recipe=recipe, root=root, **given)


def named_spec(spec: ModelSpec, *, ending: str = "", seed: int | None = None, trial: bool = False) -> ModelSpec:
    """Return a spec with the name under which `train_named` stores it; the arguments are those of it."""
    words = [ending.replace("_", " "), "" if seed is None else f"seed {seed}", "trial" if trial else ""]
    names = [ending, words[1].replace(" ", ""), words[2]]
    return replace(
        spec, name="_".join(filter(None, (spec.name, *names))), title=", ".join(filter(None, (spec.title, *words)))
    )


def train(
    spec: ModelSpec,
    data: TrainingData,
    *,
    recipe: Recipe,
    root: Path,
    folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    say: Say = lambda _: None,
    ship: bool = False,
    mapped: bool = False,
) -> StoredModel:
    """Build, fit, convert, measure and store one model.

    How the served file stores its weights is chosen on the hold-out; the test splits are used once, at the end.

    Args:
        spec: what to build; the classes are those of the data.
        data: what to fit and to measure on.
        recipe: how to fit it.
        root: the folder of the store to write to.
        folder: folder of the run; an interrupted run resumes from it at its last epoch. Default: one in the user's
            data folder for each name and seed.
        callbacks: additional Keras callbacks.
        say: called with a sentence for each step.
        ship: store it for this repository: with a small `.keras` file, or without one if the model starts from ImageNet
            or `PRETRAINED` weights, because it would be large. A model on a downloaded backbone is kept for comparison
            only, with card, history and predictions, because its weights are not ours to ship.
        mapped: also store the map of the test faces. It takes a minute or two on two cores, so that short trainings
            leave it out; `fer-lab evaluate NAME --map --save` makes it later.

    Raises:
        FerError: the folder belongs to another run, or the weights to start from are not available.
    """
    spec = replace(spec, classes=data.training.classes)
    folder = folder or home() / "runs" / f"{spec.name}-seed{recipe.seed}"
    both, on_features = recipe.target == "both", uses_features(spec, recipe)
    keras.utils.set_random_seed(recipe.seed)
    if spec.weights_from == "vggface2":
        vggface2_weights(data.training.images)

    network = initial_network(spec, "float32" if on_features else precision(recipe).name)
    claim_folder(folder, run_identity(network, spec, recipe=recipe, data=data))
    prepared = data.prepared(spec.preprocessing)
    learner = initial_two_heads(network, spec) if both else network

    if on_features:
        say(f"Computing the frozen backbone once for {len(data.training) + len(data.holdout):,} faces")
    else:
        more = "" if data.unlabelled is None else f" and {len(data.unlabelled):,} without labels"
        say(f"Fitting {spec.title} on {len(data.training):,} faces{more}, {counted(recipe.epochs, 'epoch')}")
    clock = Clock(folder / "seconds.json")
    fit(
        learner,
        spec,
        recipe=recipe,
        training=prepared.training,
        holdout=prepared.holdout,
        unlabelled=prepared.unlabelled,
        folder=folder,
        callbacks=[clock, *callbacks],
    )
    history = read_history(folder)
    fitted = {"epochs": len(history), "seed": recipe.seed, "seconds": clock.seconds}

    served = build_network(replace(spec, weights_from="random"))  # in float32, with one head
    served.set_weights(network.get_weights())
    facts = {"target": recipe.target, **_backbone_facts(served, spec), "blocks": network_blocks(served)}
    if both:
        facts |= set_blended_head(served, learner, training=data.training, holdout=prepared.holdout)

    say("Converting to LiteRT and measuring each way to store the weights on the hold-out")
    weights, file_facts = choose_storage(served, spec, data.holdout)
    classifier = Classifier(weights, preprocessing=spec.preprocessing, classes=spec.classes)
    scored = data.holdout if data.scored is None else data.scored
    learned_by = not_new_by_others((spec.weights_from, *recipe.teachers))
    if learned_by:
        say(f"The model is not scored on the hold-out: {learned_by}")
    elif (scored.plurality >= 0).any() and not data.papers_split:  # the score compares models on the same faces
        say("Scoring the served file on the hold-out")
        file_facts |= holdout_facts(lambda faces: classifier.predict(faces).probabilities, scored)
    predictions, degraded = no_predictions(), None
    if data.tests is not None:
        say("Measuring the served file on the test faces")
        predictions = predict_splits(classifier, data.tests)
    if data.tests is not None and not data.papers_split:
        faces = robustness_faces(data.tests)
        say(f"Measuring it on {len(faces):,} degraded faces, five kinds in five strengths")
        degraded = measure_degraded(classifier, faces)

    kept_for_comparison = ship and spec.weights_from == "imagenet"
    card = make_card(
        spec,
        data,
        recipe=recipe.as_dict(),
        parameters=int(served.count_params()),
        fitted=fitted | {"backend": keras.backend.backend(), "keras": keras.__version__},
        facts=facts,
        served=None if kept_for_comparison else file_facts,
        predictions=predictions,
        measured="on the LiteRT file, which is not kept" if kept_for_comparison else "on the served LiteRT file",
    )
    if kept_for_comparison:
        card, weights = replace(card, measured_file=file_facts), b""
    large = spec.weights_from in {"imagenet", *PRETRAINED}
    archive = b"" if ship and large else keras_archive(served, small=ship)
    positions = _map(served, spec, data.tests, say) if mapped and data.tests is not None else None
    return save_model(
        root,
        card,
        weights=weights,
        predictions=predictions,
        history=history,
        keras=archive,
        degraded=degraded,
        face_map=positions,
        heads=heads_of(learner) if both else None,
    )


def choose_storage(network: keras.Model, spec: ModelSpec, holdout: FaceDataset) -> tuple[bytes, dict[str, Any]]:
    """Convert a network to the LiteRT file that is served; return its bytes, and what was measured, for the card.

    The weights are stored in the first of `QUANTIZATIONS` after float32 that loses at most 0.2 points of accuracy
    against float32 on the hold-out, else in float32.
    """
    files: dict[str, bytes] = {}
    accuracies: dict[str, float] = {}
    chosen: Quantization = "float32"
    for quantization in QUANTIZATIONS:
        files[quantization] = to_litert(network, spec.input_size, quantization, float32=files.get("float32"))
        classifier = Classifier(files[quantization], preprocessing=spec.preprocessing, classes=spec.classes)
        answers = classifier.predict(holdout.images).probabilities.argmax(axis=1)
        accuracies[quantization] = float((answers == holdout.labels).mean())
        if quantization != "float32" and accuracies[quantization] >= accuracies["float32"] - 0.002:
            chosen = quantization
            break
    return files[chosen], {
        "storage": chosen,
        "holdout_accuracy": accuracies,
        "sizes": {name: len(content) for name, content in files.items()},
        "size_bytes": len(files[chosen]),
        "sha256": hashlib.sha256(files[chosen]).hexdigest(),
    }


def _backbone_facts(network: keras.Model, spec: ModelSpec) -> dict[str, Any]:
    """Return the number of weights that were trained, and how the others were; nothing without a backbone."""
    if not spec.backbone:
        return {}
    note = pretraining_note(spec)
    opened = sum(math.prod(weight.shape) for weight in network.trainable_weights)
    return {"open_weights": opened, **({} if note is None else {"pretraining": note})}


def _map(network: keras.Model, spec: ModelSpec, tests: FaceDataset, say: Say) -> pd.DataFrame | None:
    """Return the map of the test faces; None, with a sentence, if it cannot be made."""
    say(f"Arranging {len(tests):,} test faces on a map, a minute or two")
    try:
        return face_map(network, spec.preprocessing, tests)
    except FerError as error:
        say(f"There will be no map of faces. {error}")
        return None


_NEITHER: Final = {"votes": None, "unlabelled": None}


def run_identity(network: keras.Model, spec: ModelSpec, *, recipe: Recipe, data: TrainingData) -> dict[str, Any]:
    """Return what makes a run the same run, including hashes of the weights that it starts from and learns from.

    `votes` and `unlabelled` are hashes as well, or None for a run that does not learn from such.
    """
    identity = {"spec": spec.as_dict(), "recipe": recipe.as_dict(), "data": data.fingerprint, **_NEITHER}
    if recipe.target != "labels" and data.training.votes is not None:
        identity["votes"] = hashlib.sha256(data.training.votes.votes.tobytes()).hexdigest()[:16]
    if data.unlabelled is not None:
        identity["unlabelled"] = hashlib.sha256(np.ascontiguousarray(data.unlabelled).data).hexdigest()[:16]
    if spec.weights_from != "random":
        identity["start"] = weights_digest(backbone_of(network) if spec.backbone else network)
    return identity | {f"teacher {name}": weights_digest(stored_network(name)) for name in recipe.teachers}


def claim_folder(folder: Path, identity: dict[str, Any]) -> None:
    """Write a run's identity to its folder, or raise a `FerError` if another is there.

    Older versions left out `unlabelled` where there were none; what else they left out is not compared.
    """
    identity = json.loads(json.dumps(identity))
    path = folder / "spec.json"
    known = {"unlabelled": None, **json.loads(path.read_text(encoding="utf-8"))} if path.is_file() else {}
    if any(known[key] != identity[key] for key in known.keys() & identity.keys()):
        raise FerError(
            f"The folder {folder} belongs to a run with another model, recipe or dataset, or from other weights. "
            f"Delete it to start again, or choose another seed."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, identity)
