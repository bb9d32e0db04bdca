"""A run's folder belongs to one run: its model, recipe and data, and the weights behind their names."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from fer_core.data import FerDataset, FerPlusVotes
from fer_core.models import build_network
from fer_core.training.data import TrainingData
from fer_core.training.identity import claim_folder, run_identity
from fer_core.training.recipe import Recipe
from fer_core.types import FerError
from tests.training.test_initial_weights import store


def test_other_weights_of_the_same_name_are_another_run(tiny_spec, home, tmp_path):
    faces = FerDataset(np.zeros((2, 48, 48), np.uint8), np.zeros(2, np.int64), np.full(2, "Training"), np.arange(2))
    data, recipe = TrainingData(faces, faces), Recipe(epochs=1, teachers=("master",))
    network = build_network(replace(tiny_spec, weights_from="master"))
    plain = run_identity(network, tiny_spec, replace(recipe, teachers=()), data)
    assert set(plain) == {"spec", "recipe", "data"}, "random weights follow from the seed"
    found = []
    for _ in range(2):
        folder = store("master", build_network(tiny_spec), tiny_spec)
        found.append(run_identity(network, replace(tiny_spec, weights_from="master"), recipe, data))
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    assert found[0]["start"] == found[1]["start"]
    assert found[0]["teacher master"] != found[1]["teacher master"]
    claim_folder(tmp_path / "run", found[0])
    claim_folder(tmp_path / "run", found[0])
    with pytest.raises(FerError, match="or from other weights"):
        claim_folder(tmp_path / "run", found[1])
    older = {key: value for key, value in found[0].items() if key != "teacher master"}
    (tmp_path / "run" / "spec.json").write_text(json.dumps(older))  # as an older version wrote it
    claim_folder(tmp_path / "run", found[1])


def test_votes_are_part_of_a_run(tiny_spec):
    faces = FerDataset(np.zeros((2, 48, 48), np.uint8), np.zeros(2, np.int64), np.full(2, "Training"), np.arange(2))
    voted = [replace(faces, votes=FerPlusVotes(np.full((2, 10), count))) for count in (1, 2)]
    network, recipe = build_network(tiny_spec), Recipe(epochs=1, target="both")
    first, second = (run_identity(network, tiny_spec, recipe, TrainingData(one, one)) for one in voted)
    assert first["votes"] != second["votes"]
    assert "votes" not in run_identity(network, tiny_spec, Recipe(epochs=1), TrainingData(voted[0], voted[0]))
