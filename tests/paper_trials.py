"""Small trainings, with three seeds, for what the paper varies: `python -m tests.paper_trials order`.

Only the predictions of PublicTest are kept, a line for each training in a file of `fer_core.metrics`. Lines that are
there are not trained again, so that an interrupted call can be repeated.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from fer_core.data import load_fer2013
from fer_core.faces import preprocess_faces
from fer_core.metrics.paper_changes import TRIALS_FILE
from fer_core.models import model_spec
from fer_core.runs.data import fer2013_part
from fer_core.training.recipe import FROZEN

SEEDS: Final = (0, 1, 2)
SIZE: Final = 96  # pixels; at the 160 of the named models a training takes three times as long
EPOCHS: Final = 6
FACES: Final = 3000  # of Training

TRIALS: Final[dict[str, list[str]]] = {
    "order": ["_noise", "_noise_poolnorm", "_noise_normfirst", "_noise_noisefirst"],
    "preprocessing": ["", "_face", "_aligned", "_equalize", "_clahe"],
}
"""By key: the endings of `mobilenetv2_frozen` to train."""


def run_trials(question: str) -> None:
    """Run the trainings of one of `TRIALS` that are missing; each prints a line."""
    import keras

    from fer_core.models.networks import outputs_of
    from fer_core.training.fit import fit
    from fer_core.training.initial_weights import initial_network

    dataset = load_fer2013()
    data, public = fer2013_part(dataset, FACES, balanced=False, seed=0), dataset.split("public_test")
    data = replace(data, holdout=data.holdout.subset(np.arange(256)))  # it is watched and chooses nothing
    done = {(row.name, row.seed) for row in pd.read_csv(TRIALS_FILE).itertuples(index=False)}
    for name in (f"mobilenetv2_frozen{ending}" for ending in TRIALS[question]):
        seeds = [seed for seed in SEEDS if (name, seed) not in done]
        spec = replace(model_spec(name), backbone_size=SIZE)
        if seeds:
            prepared, tests = data.prepared(spec.preprocessing), preprocess_faces(public.images, spec.preprocessing)
        for seed in seeds:
            recipe = replace(
                FROZEN, epochs=EPOCHS, batch_size=64, peak_learning_rate=5e-3, augmentation=None, seed=seed
            )
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            network = initial_network(spec)
            fit(network, spec, recipe=recipe, training=prepared.training, holdout=prepared.holdout)
            predicted = outputs_of(network, tests).argmax(axis=1)
            with TRIALS_FILE.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerow([name, seed, "".join(map(str, predicted))])
            print(f"{name}, seed {seed}: {(predicted == public.labels).mean():.4f}", flush=True)


if __name__ == "__main__":
    run_trials(sys.argv[1])
