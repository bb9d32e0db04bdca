"""What a training stores."""

from __future__ import annotations

import numpy as np

from fer_core.store.stored_model import KERAS
from fer_core.training.blend import class_frequencies
from fer_core.training.data import TrainingData
from fer_core.training.initial_weights import read_keras
from fer_core.training.recipe import Recipe
from fer_core.training.train import train
from tests.training.test_fit import bright_and_dark  # noqa: F401
from tests.training.test_targets import with_votes


def test_a_model_of_two_heads_has_both_and_serves_their_blend(tiny_spec, home, tmp_path, bright_and_dark):  # noqa: F811
    faces = with_votes(bright_and_dark, bright_and_dark.labels)
    recipe = Recipe(epochs=1, batch_size=16, ema=0.0, augmentation=None, mixed_precision=False, target="both")
    model = train(tiny_spec, TrainingData(faces, faces), recipe=recipe, root=tmp_path, folder=tmp_path / "run")
    facts = model.card.training
    share, correction, scale = facts["votes_share"], facts["frequency_correction"], 1 / facts["temperature"]
    labels, votes = model.heads().astype(np.float64)
    kernel, bias = read_keras(model.folder / KERAS).get_layer("head").get_weights()
    np.testing.assert_allclose(
        kernel, scale * ((1 - share) * labels + share * votes)[:-1], atol=4e-3
    )  # stored as float16
    often = np.log(class_frequencies(faces))
    expected = (1 - share) * (labels[-1] - correction * often[0]) + share * (votes[-1] - correction * often[1])
    np.testing.assert_allclose(bias, scale * expected, rtol=2e-3, atol=2e-3)
    again = train(tiny_spec, TrainingData(faces, faces), recipe=recipe, root=tmp_path, folder=tmp_path / "run")
    np.testing.assert_allclose(again.heads(), model.heads(), atol=1e-6)  # the run was finished: nothing is fitted again
