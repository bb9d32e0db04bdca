"""The model card: what a stored model is, how it was trained and what was measured of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeGuard

from fer_core.data.holdout import LISTED
from fer_core.files import write_json
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.calibration import Threshold
from fer_core.metrics.confusion import plain
from fer_core.metrics.core import BootstrapIntervals, Metrics
from fer_core.metrics.intervals import Interval
from fer_core.models import ModelSpec
from fer_core.types import FerError

CARD: Final = "card.json"
ELSEWHERE: Final = "elsewhere"  # `weights_from` of a model that was not trained here

# The keys that every card has; others, but `spec`, with their types; and all in the order of the file.
REQUIRED: Final = ("name", "title", "parameters", "weights_from", "input_size", "metrics", "served")
_OPTIONAL: Final = {
    **dict.fromkeys(("recipe", "training", "measured_file", "takes"), dict),
    **dict.fromkeys(("trained", "data_fingerprint", "measured", "created", "promoted_from"), str),
}
_ORDER: Final = (
    *("name", "title", "spec", "recipe", "parameters", "weights_from", "input_size", "takes", "training", "served"),
    *("measured_file", "trained", "data_fingerprint", "metrics", "measured", "created", "promoted_from"),
)

_TRAINED: Final = {"random": "every layer", "none": "no network"}
"""The trained part by `weights_from`, for older cards without `trained`."""


@dataclass(frozen=True)
class Score:
    """The metrics of one model on one test split in one view, by key; 95 % intervals have keys that end in `_interval`.

    Raises:
        FerError: on creation, if accuracy, its interval or macro F1 is missing.
    """

    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        try:
            numbers = [self.values["accuracy"], self.values["macro_f1"], *self.values["accuracy_interval"]]
            self.interval("accuracy")
        except (KeyError, TypeError, ValueError):
            numbers = [None]
        if not all(_is_number(value) for value in numbers):
            raise FerError("A score needs accuracy with its interval, and macro F1.")

    @classmethod
    def of(cls, metrics: Metrics, intervals: BootstrapIntervals) -> Score:
        ends = {f"{name}_interval": [plain(end.low), plain(end.high)] for name, end in intervals.values.items()}
        return cls(metrics.as_dict() | ends)

    def __getitem__(self, metric: str) -> float:
        """Return a metric; NaN if it is missing or undefined."""
        value = _number(self.values.get(metric))
        return math.nan if value is None else value

    @property
    def accuracy(self) -> float:
        return self["accuracy"]

    @property
    def macro_f1(self) -> float:
        return self["macro_f1"]

    def interval(self, metric: str) -> Interval:
        """Return the 95 % interval of one of `metrics.core.METRICS`; its ends are NaN if it is missing or undefined."""
        low, high = self.values.get(f"{metric}_interval") or (None, None)
        return Interval() if low is None or high is None else Interval(float(low), float(high))


@dataclass(frozen=True)
class ModelCard:
    """The content of `card.json`. A field is a key of the file, unless stated otherwise.

    Attributes:
        name, title: of the model's folder; and what people read.
        weights_from: where the weights start, as in `ModelSpec`.
        input_size: side in pixels of the square gray face that the model takes.
        metrics: measured values by split and view, see `score`; empty if the test splits were not available.
        served: how the served file was made: `storage` (how its weights are stored), `holdout_accuracy` and `sizes`
            of each storage that was tried, `size_bytes`, `sha256`, and `holdout_score` and `not_sure` if they were
            measured. None for a model that is kept for comparison only.
        measured_file: the same of a file that was measured but is not kept, where `served` is None.
        spec: the network or baseline; None if the file has none that this version can build.
        recipe, training: how the model was fitted; and where and on what.
        trained: the trained part of the network, as text.
        measured: what the metrics were measured on, as text.
        promoted_from: the run that the model comes from.
        takes: how the file takes pictures, as `fer_core.added.Takes`, if it was made elsewhere.
        other: keys of the file that this version does not know or cannot use. They are written back unchanged.

    Raises:
        FerError: on creation, if a required value is missing or cannot be used.
    """

    name: str
    title: str
    parameters: int | None
    weights_from: str
    input_size: int
    metrics: Mapping[str, Any]
    served: Mapping[str, Any] | None
    measured_file: Mapping[str, Any] | None = None
    spec: ModelSpec | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    trained: str = ""
    data_fingerprint: str = ""
    measured: str = ""
    created: str = ""
    promoted_from: str = ""
    takes: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or not self.title:
            raise FerError(f"{CARD} needs a name and a title. Received: {self.name!r}, {self.title!r}")
        if not _is_number(self.input_size) or self.input_size < 1:
            raise FerError(f"{CARD} needs an input size of at least 1 pixel. Received: {self.input_size!r}")
        if not isinstance(self.served, Mapping | None):
            raise FerError(f"{CARD} needs an object or null as `served`. Received: {self.served!r}")

    @classmethod
    def from_dict(cls, values: Any) -> ModelCard:
        """Build a card from the content of a `card.json`; an optional key of the wrong type counts as missing."""
        if not isinstance(values, dict):
            values = {}
        if missing := [key for key in REQUIRED if key not in values]:
            raise FerError(f"{CARD} lacks {', '.join(missing)}.")
        kept = {name: values[name] for name in REQUIRED if name != "parameters"}
        kept |= {name: str(values[name]) for name in ("name", "title", "weights_from")}
        kept |= {name: values[name] for name, kind in _OPTIONAL.items() if isinstance(values.get(name), kind)}
        if (spec := _spec(values.get("spec"))) is not None:
            kept["spec"] = spec
        if _is_number(values["parameters"]):
            kept["parameters"] = int(values["parameters"])
        other = {name: value for name, value in values.items() if name not in kept}
        return cls(**{"parameters": None, **kept}, other=other)

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read a model folder's `card.json`; raise a FerError if the file is missing or damaged."""
        skipped = f"The model folder {path.parent.name} is skipped:"
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise FerError(f"{skipped} it has no readable {CARD}.") from error
        except FerError as error:
            raise FerError(f"{skipped} its {error}") from error
        except (ValueError, OverflowError, RecursionError) as error:  # such as an infinite number of parameters
            raise FerError(f"{skipped} its {CARD} is not valid JSON ({error}).") from error

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; keys that were not given are left out."""
        values = {name: getattr(self, name) for name in _ORDER} | {"spec": self.spec and self.spec.as_dict()}
        return {name: value for name, value in values.items() if value or name in REQUIRED} | dict(self.other)

    def write(self, path: Path) -> None:
        """Write the card as a `card.json`; raise a TypeError if a value is not of a JSON type."""
        write_json(path, self.as_dict())

    def score(self, split: str, view: str = "plain", by: str = "label") -> Score | None:
        """Return the metrics of `public_test` or `private_test`; None if missing or damaged."""
        try:
            values = self.metrics[split][view]
            return Score(values if by == "label" else values["by"][by])
        except (KeyError, TypeError, FerError):
            return None

    @property
    def holdout_score(self) -> float | None:
        """The score by which the default model is chosen, see `fer_core.measuring.measure`; None if unknown."""
        return _number(self._file("holdout_score").get("score"))

    @property
    def scored_faces(self) -> float | None:
        """Number of faces of `holdout_score`; None if unknown."""
        return _number(self._file("holdout_score").get("faces"))

    def _file(self, name: str) -> Mapping[str, Any]:
        """Return what was measured of the served or measured file; empty if it is unknown."""
        values = (self.served or self.measured_file or {}).get(name)
        return values if isinstance(values, Mapping) else {}

    @property
    def not_sure(self) -> Threshold | None:
        """The confidence below which the model is not sure, chosen on the hold-out; None if unknown."""
        threshold, names = self._file("not_sure"), ("below", "accuracy", "answered", "faces")
        values = [threshold[name] for name in names if _is_number(threshold.get(name))]
        return Threshold(*values) if self.served and len(values) == len(names) else None

    @property
    def tested(self) -> bool:
        """Whether the test splits were available when the model was stored."""
        return self.metrics != {}

    @property
    def preprocessing(self) -> str:
        """What is done to each face first, as in `fer_core.faces.preprocess_faces`."""
        if self.spec is not None:
            return self.spec.preprocessing
        unknown = self.other.get("spec")
        return str(unknown.get("preprocessing", "none")) if isinstance(unknown, dict) else "none"

    @property
    def classes(self) -> tuple[str, ...]:
        """What the model tells apart, in the order of its outputs."""
        return EXPRESSIONS if self.spec is None else self.spec.classes

    @property
    def added(self) -> bool:
        """Whether the model was made elsewhere, and is only measured here."""
        return self.weights_from == ELSEWHERE

    @property
    def learned_from(self) -> tuple[str, ...]:
        """What the model starts from, and the names of its teachers."""
        teachers = self.recipe.get("teachers")
        return (self.weights_from, *map(str, teachers if isinstance(teachers, list | tuple) else ()))

    @property
    def trained_part(self) -> str:
        """The trained part of the network, as text, with the number of weights if the card has it; "–" if unknown."""
        part, weights = self.trained or _TRAINED.get(self.weights_from, "–"), self.training.get("open_weights")
        return f"{part}: {weights:,} of {self.parameters:,}" if _is_number(weights) and self.parameters else part

    @property
    def holdout_accuracy(self) -> float | None:
        """Accuracy of the served or measured file on FER2013's hold-out; None if unknown, or of other faces.

        Older cards do not say which faces they are of: those of the hold-out and 202 more of Training.
        """
        if str(self.training.get("data", "")).startswith("own ") or self.training.get("holdout", LISTED) != LISTED:
            return None
        storage = (self.served or self.measured_file or {}).get("storage", "")
        return _number(self._file("holdout_accuracy").get(storage))


def _spec(values: Any) -> ModelSpec | None:
    try:
        return ModelSpec.from_dict(values)
    except (AttributeError, TypeError, ValueError):
        return None


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    return float(value) if _is_number(value) else None
