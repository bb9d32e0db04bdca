"""A run's folder belongs to one run: its model, recipe and data, and the weights behind their names."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fer_core.models import build_network
from fer_core.training.recipe import Recipe
from fer_core.training.train import SPEC, _claim, _origins
from fer_core.types import FerError
from tests.training.test_start import store


def test_other_weights_of_the_same_name_are_another_run(tiny_spec, home, tmp_path):
    recipe = Recipe(epochs=1, teachers=("master",))
    network = build_network(replace(tiny_spec, weights_from="master"))
    assert _origins(network, tiny_spec, replace(recipe, teachers=())) == {}, "random weights follow from the seed"
    found = []
    for _ in range(2):
        folder = store("master", build_network(tiny_spec), tiny_spec)
        found.append(_origins(network, replace(tiny_spec, weights_from="master"), recipe))
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    assert found[0]["start"] == found[1]["start"]
    assert found[0]["teacher master"] != found[1]["teacher master"]
    _claim(tmp_path / "run", {"spec": 1, **found[0]})
    _claim(tmp_path / "run", {"spec": 1, **found[0]})
    with pytest.raises(FerError, match="or from other weights"):
        _claim(tmp_path / "run", {"spec": 1, **found[1]})
    (tmp_path / "run" / SPEC).write_text(json.dumps({"spec": 1}))  # as an older version noted it
    _claim(tmp_path / "run", {"spec": 1, **found[1]})
