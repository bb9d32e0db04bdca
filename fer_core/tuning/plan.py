"""What a tuning study varies, between which values, and how its trials learn. Imports neither Optuna nor Keras."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer_core.files import checked_name, home
from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings, expected_faces
from fer_core.runs.estimate import Estimate, estimate
from fer_core.runs.run import parts_of
from fer_core.training.augmentation import Augmentation
from fer_core.training.recipe import SCHEDULES, WITHOUT_RECIPE, Recipe
from fer_core.types import FerError

if TYPE_CHECKING:
    import optuna

SETTING_LABELS: Final = {
    "learning_rate": "Learning rate",
    "schedule": "Schedule",
    "strength": "Strength of augmentation",
    "open_layers": "Open layers",
    "label_smoothing": "Label smoothing",
    "patience": "Patience",
}
TUNABLE: Final = tuple(SETTING_LABELS)
"""Names of the settings that can be varied, as in trials and tables."""

USUAL: Final = tuple(name for name in TUNABLE if name != "patience")
"""Those that are varied if nothing else is said: early stopping replaces the average of the weights."""

STORAGE_VARIABLE: Final = "FER_TUNING_STORAGE"  # environment variable: the URL of the studies' database
BUILD_SECONDS: Final = 8.0
"""Seconds to build a network and compile its first step, needed by each trial; measured for `compact_cnn`."""

STORED: Final = Path(__file__).with_name("paper_study.jsonl")
"""The study of the paper's final model that comes with FER Lab, written by `tune --export`."""

NOTE: Final = "note"  # attribute of a trial in the database: one sentence on why it failed or was stopped
_LIMITS: Final = {"learning_rate": (1e-9, 1e3), "strength": (0.0, 2.0), "label_smoothing": (0.0, 0.9)}
_FILE: Final = "tuning.db"


def default_storage() -> str:
    """Return the database URL in `FER_TUNING_STORAGE`, by default of an SQLite file in the user's data folder."""
    return os.environ.get(STORAGE_VARIABLE) or f"sqlite:///{(home() / _FILE).resolve().as_posix()}"


def may_have_studies() -> bool:
    """Whether there may be studies. Quick: no database is opened."""
    return bool(os.environ.get(STORAGE_VARIABLE)) or (home() / _FILE).is_file()


@dataclass(frozen=True)
class SearchSpace:
    """The settings to vary; a single one holds for all trials, an empty one keeps the recipe's value.

    A `FerError` on creation says what is wrong.
    """

    learning_rate: tuple[float, float] | None = None  # lowest and highest peak, sampled on a logarithmic scale
    schedule: tuple[str, ...] = ()  # some of `recipe.SCHEDULES`
    strength: tuple[float, float] | None = None  # lowest and highest of `Augmentation.of_strength`
    open_layers: tuple[int, ...] = ()  # numbers of last backbone layers with weights to train; -1 for all
    label_smoothing: tuple[float, float] | None = None  # lowest and highest
    patience: tuple[int, ...] = ()  # epochs without a lower validation loss after which a training stops; 0 for never

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _LIMITS.items():
            span = getattr(self, name)
            if span is not None and not lowest <= span[0] < span[1] <= highest:
                raise FerError(
                    f"{SETTING_LABELS[name]}: expected a lower and a higher value from {lowest} to {highest}. "
                    f"Received: {span}"
                )
        if not set(self.schedule) <= set(SCHEDULES) or any(count < -1 for count in self.open_layers):
            raise FerError(
                f"Expected schedules out of {', '.join(SCHEDULES)} and open layers from 0 on, or -1 for all. "
                f"Received: {self.schedule} and {self.open_layers}"
            )
        if any(epochs < 0 for epochs in self.patience):
            raise FerError(
                f"Expected a patience of 0 epochs, for no early stopping, or more. Received: {self.patience}"
            )
        if not self.varied:
            raise FerError(
                f"Expected at least one setting to vary, with two values or more. There are: {', '.join(TUNABLE)}"
            )

    @classmethod
    def around(cls, spec: ModelSpec, recipe: Recipe, vary: Collection[str] = USUAL) -> SearchSpace:
        """Return a search space around a recipe's values; what is not `tunable` for the model is left out."""
        if unknown := sorted(set(vary) - set(TUNABLE)):
            raise FerError(f"Expected to vary some of {', '.join(TUNABLE)}. Received: {', '.join(unknown)}")
        peak = recipe.peak_learning_rate
        ranges: dict[str, Any] = {
            "learning_rate": (peak / 30, peak * 10),
            "schedule": ("one_cycle", "cosine", "constant"),  # a plateau needs more epochs than a trial has
            "strength": (0.0, 1.5),
            "open_layers": (2, 6, 12),
            "label_smoothing": (0.0, 0.2),
            "patience": (0, 2, 5),
        }
        return cls(**{name: ranges[name] for name in tunable(spec) if name in vary})

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the settings that vary."""
        return tuple(name for name in TUNABLE if len(getattr(self, name) or ()) > 1)

    @property
    def fixed(self) -> dict[str, Any]:
        """The value of each setting that has only one."""
        return {name: getattr(self, name)[0] for name in TUNABLE if len(getattr(self, name) or ()) == 1}

    def draw(self, trial: optuna.Trial) -> dict[str, Any]:
        """Sample a value for each setting that varies; those that are fixed come with them."""
        spans = {name: getattr(self, name) for name in self.varied}
        return self.fixed | {
            name: trial.suggest_float(name, *values, log=name == "learning_rate")
            if name in _LIMITS
            else trial.suggest_categorical(name, list(values))
            for name, values in spans.items()
        }


@dataclass(frozen=True)
class TuningPlan:
    """A study as it was requested; `asdict` is stored with it once. A `FerError` on creation says what is wrong."""

    name: str  # by which the study is continued
    spec: ModelSpec
    recipe: Recipe  # of a full training; each trial uses it with fewer epochs and with its sampled values
    data: DataSettings  # what the trials learn from; few faces are enough to rank settings
    epochs: int  # of a trial
    space: SearchSpace
    seed: int = 0  # of the sampling

    def __post_init__(self) -> None:
        checked_name(self.name, "study")
        if self.epochs < 1:
            raise FerError(f"Expected at least one epoch per trial. Received: {self.epochs}")
        if self.spec.architecture in WITHOUT_RECIPE:
            raise FerError(f"{self.spec.name} has no settings to tune. Choose a network.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TuningPlan:
        """Build from the result of `asdict`; a `FerError` says if another version wrote it."""
        try:
            ranges: Any = {name: value if value is None else tuple(value) for name, value in values["space"].items()}
            numbers: Any = {name: int(values[name]) for name in ("epochs", "seed")}
            return cls(str(values["name"]), space=SearchSpace(**ranges), **parts_of(values), **numbers)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FerError(
                f"A study was made by another version of FER Lab and cannot be read ({error}). Start a new one under "
                "another name."
            ) from error


def tunable(spec: ModelSpec) -> tuple[str, ...]:
    """Return the names of the settings that can be varied for a model."""
    if spec.frozen:  # others keep its features from being cached, and a trial would take minutes instead of seconds
        return ("learning_rate", "schedule", "label_smoothing", "patience")
    return TUNABLE if spec.architecture == "transfer" else tuple(n for n in TUNABLE if n != "open_layers")


def with_values(drawn: dict[str, Any], *, spec: ModelSpec, recipe: Recipe) -> tuple[ModelSpec, Recipe]:
    """Return a model and its recipe with a trial's sampled values."""
    names = {"learning_rate": "peak_learning_rate", "schedule": "schedule", "label_smoothing": "label_smoothing"}
    recipe = replace(recipe, **{names[name]: value for name, value in drawn.items() if name in names})
    if "patience" in drawn:
        recipe = replace(recipe, early_stopping=drawn["patience"], ema=0.0 if drawn["patience"] else recipe.ema)
    if "strength" in drawn:
        crop = recipe.augmentation.crop if recipe.augmentation else 48
        recipe = replace(recipe, augmentation=Augmentation.of_strength(drawn["strength"], crop))
    return (replace(spec, open_layers=drawn["open_layers"]) if "open_layers" in drawn else spec), recipe


def study_estimate(plan: TuningPlan, trials: int) -> Estimate:
    """Estimate the duration of a study if no trial is stopped early; a frozen backbone's features are computed once."""
    faces = expected_faces(plan.data)
    once, longer = (
        estimate(plan.spec, replace(plan.recipe, epochs=epochs), faces=faces) for epochs in (1, 1 + plan.epochs)
    )
    return replace(once, seconds=once.seconds + trials * (BUILD_SECONDS + longer.seconds - once.seconds))
