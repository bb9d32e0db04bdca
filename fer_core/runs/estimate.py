"""How long a run will take, estimated from earlier runs on this computer, or guessed if there are none."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from filelock import FileLock, Timeout

from fer_core.files import home, read_json, write_json
from fer_core.models import ModelSpec, model_spec
from fer_core.models.backbones import backbone_named
from fer_core.runs.data import ALL_FACES
from fer_core.training.recipe import Recipe, recipe_for, uses_features

TIMINGS: Final = "timings.json"
GUESS: Final = (
    "A rough guess for two processor cores: no run of this kind has been measured on this computer yet. It may be "
    "several times shorter or longer."
)

_KEPT: Final = 8  # newest measurements of each kind
_UNMEASURED: Final = (48, 10.0)  # side in pixels, and milliseconds per face, of a backbone that was not measured
_PREDICTIONS: Final = 2 * 7178 + 26 * 1000 + 6 * 2669
"""Both test splits with mirror images, 1,000 faces, clean and degraded, and the hold-out for score and threshold."""

_COMPACT: Final = ((32, 64, 128, 192), 1.7)  # widths, and milliseconds per face and epoch on two cores (1.5 to 3.1)


@dataclass(frozen=True)
class Estimate:
    """Estimated seconds of a run without waiting for others, and one sentence on how they were estimated."""

    seconds: float
    basis: str


def estimate(spec: ModelSpec, recipe: Recipe, *, faces: int) -> Estimate:
    """Estimate the duration of a run on so many training faces; with early stopping, the longest possible one."""
    known = _timings(spec, recipe)
    if not known:
        return Estimate(_guess(spec, recipe, faces), GUESS)
    fitting = statistics.median(timing["per_face"] for timing in known) * faces * recipe.epochs
    features = uses_features(spec, recipe)
    preparing = max(timing["preparing"] * (faces / timing["faces"] if features else 1) for timing in known)
    runs = "one earlier run" if len(known) == 1 else f"{len(known)} earlier runs"
    seconds = fitting + preparing + expected_ending(spec, recipe)
    return Estimate(seconds, f"From {runs} of this kind on this computer.")


def expected_ending(spec: ModelSpec, recipe: Recipe) -> float:
    """Return the seconds after the last epoch, for converting the model and measuring it on the test faces."""
    if known := _timings(spec, recipe):
        return statistics.median(timing["measuring"] for timing in known)
    milliseconds = backbone_named(spec.backbone).served_milliseconds if spec.backbone else 1.0
    return 20.0 + milliseconds / 1000 * _PREDICTIONS


def note_timing(
    spec: ModelSpec, recipe: Recipe, *, faces: int, per_face: float, preparing: float, measuring: float
) -> None:
    """Save the seconds of a run, per training face and epoch, before the first epoch and after the last one."""
    timing = {"per_face": per_face, "preparing": preparing, "measuring": measuring, "faces": faces, "when": time.time()}
    with contextlib.suppress(OSError, Timeout), FileLock(home() / f".{TIMINGS}.lock", timeout=10):
        kinds = _kinds()
        kind = _kind(spec, recipe)
        kinds[kind] = [*kinds.get(kind, []), timing][-_KEPT:]
        write_json(home() / TIMINGS, kinds)


def together(names: Iterable[str]) -> str:
    """Return how long networks by their names would train on all faces, together; empty for small ones only."""
    specs = [model_spec(name) for name in names if not name.endswith("_small")]
    seconds = sum(estimate(spec, recipe_for(spec), faces=ALL_FACES).seconds for spec in specs)
    return duration_text(seconds) if specs else ""


def duration_text(seconds: float) -> str:
    """Return a rounded duration for people, for example `about 4 minutes`."""
    if seconds < 50:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 90:
        return "about a minute"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.1f} hours"


def _timings(spec: ModelSpec, recipe: Recipe) -> list[dict[str, float]]:
    """Return what `note_timing` saved of earlier runs of this kind on this computer, oldest first."""
    known = [timing for timing in _kinds().get(_kind(spec, recipe), []) if isinstance(timing, dict)]
    needed = {"per_face", "preparing", "measuring", "faces"}
    return [timing for timing in known if timing.keys() >= needed and timing["faces"] > 0]


def _kinds() -> dict[str, Any]:
    return {name: values for name, values in read_json(home() / TIMINGS).items() if isinstance(values, list)}


def _kind(spec: ModelSpec, recipe: Recipe) -> str:
    """Return the key of runs whose durations per face are comparable."""
    parts = [spec.architecture, *map(str, spec.widths)]
    if spec.backbone:
        parts += [spec.backbone, str(spec.backbone_size), f"open {spec.open_layers}"]
    return " ".join([*parts, "features"] if uses_features(spec, recipe) else parts)


def _guess(spec: ModelSpec, recipe: Recipe, faces: int) -> float:
    start_and_end = 20.0 + expected_ending(spec, recipe)
    if spec.architecture != "transfer":
        widths, milliseconds = _COMPACT
        share = sum(w * w for w in spec.widths) / sum(w * w for w in widths) if spec.widths else 1.0
        return start_and_end + max(0.1, share) * milliseconds / 1000 * faces * recipe.epochs
    known = backbone_named(spec.backbone)
    side, milliseconds = (known.size, known.milliseconds) if known.milliseconds else _UNMEASURED
    forward = milliseconds / 1000 * ((spec.backbone_size or side) / side) ** 2 * faces
    if uses_features(spec, recipe):
        return start_and_end + 2 * forward + 4e-5 * faces * recipe.epochs
    passes = 1.0 if spec.frozen else 2.0 if spec.open_layers > 0 else 3.0  # forward and backward
    return start_and_end + passes * forward * recipe.epochs
