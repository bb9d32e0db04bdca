"""Studies that are quick: faces that a tiny network tells apart, and fits that only say what they were asked to."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings
from fer_core.training.data import TrainingData
from fer_core.training.recipe import Recipe
from fer_core.tuning.plan import SearchSpace, TuningPlan
from fer_core.tuning.study import TuningStudy, create_study, open_storage
from tests.training.conftest import made_faces


@pytest.fixture(scope="session")
def data() -> TrainingData:
    """112 training faces, 28 in the hold-out, and no test splits, so that using them fails."""
    return TrainingData(made_faces(112, 0), made_faces(28, 1))


@pytest.fixture
def plan(tiny_spec: ModelSpec) -> TuningPlan:
    recipe = Recipe(epochs=8, batch_size=16, mixed_precision=False, augmentation=None)
    space = SearchSpace((1e-4, 0.1), ("cosine", "constant"), None, (), (0.0, 0.2))
    return TuningPlan("first", tiny_spec, recipe, DataSettings("fer2013", 112), 3, space)


@pytest.fixture
def study(home: Path, plan: TuningPlan) -> TuningStudy:
    return create_study(plan, open_storage())


@pytest.fixture
def curves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """`curves(function)` replaces fitting: `function(recipe)` gives the hold-out accuracies, epoch by epoch.

    Instead of a function, a list says what each fit in turn gives or raises.
    """

    def replaced(outcomes: Callable[[Recipe], list[float]] | Iterable[Any]) -> list[Any]:
        asked: list[Any] = []
        turns = None if callable(outcomes) else iter(outcomes)

        def fit(_: Any, spec: Any, *, recipe: Any, callbacks: Any, **given: Any) -> dict[str, Any]:
            asked.append((spec, recipe))
            outcome = outcomes(recipe) if turns is None else next(turns)
            if isinstance(outcome, BaseException):
                raise outcome
            history: dict[str, Any] = {"val_accuracy": [], "val_loss": []}
            for epoch, accuracy in enumerate(outcome):
                loss = float("nan") if np.isnan(accuracy) else 1 - accuracy
                history["val_accuracy"].append(0.1 if np.isnan(accuracy) else accuracy)
                history["val_loss"].append(loss)
                callbacks[0].on_epoch_end(epoch, {"loss": loss, "val_accuracy": history["val_accuracy"][-1]})
            return history

        monkeypatch.setattr("fer_core.training.fit.fit", fit)
        monkeypatch.setattr("fer_core.training.initial_weights.initial_network", lambda *_: None)
        monkeypatch.setattr("keras.backend.clear_session", lambda: None)  # takes longer than all the rest
        return asked

    return replaced
