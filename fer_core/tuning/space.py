"""What a study may vary, and between which values. Keras-free."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fer_core.models import ModelSpec
from fer_core.training.augmentation import Augmentation
from fer_core.training.recipe import SCHEDULES, Recipe
from fer_core.types import FerError

if TYPE_CHECKING:
    import optuna

VARIABLE: Final = ("learning_rate", "schedule", "strength", "open_layers", "label_smoothing")
"""Names of what may be varied, as trials and charts call it."""

WORDS: Final = {
    "learning_rate": "Learning rate",
    "schedule": "Schedule",
    "strength": "Strength of augmentation",
    "open_layers": "Open layers",
    "label_smoothing": "Label smoothing",
}

_TRIED_SCHEDULES: Final = ("one_cycle", "cosine", "constant")  # a plateau takes longer to show than a trial
_TRIED_OPEN_LAYERS: Final = (2, 6, 12)


@dataclass(frozen=True)
class SearchSpace:
    """Lowest and highest values, or the choices; what is empty keeps the recipe's value.

    Attributes:
        learning_rate: of the peak; drawn by its logarithm.
        schedule: some of `recipe.SCHEDULES`.
        strength: as `Augmentation.of_strength` takes it.
        open_layers: numbers of the backbone's last layers that train.
        label_smoothing: as in `Recipe`.

    Raises:
        FerError: on creation, if nothing varies or a value is out of its range.
    """

    learning_rate: tuple[float, float] | None = None
    schedule: tuple[str, ...] = ()
    strength: tuple[float, float] | None = None
    open_layers: tuple[int, ...] = ()
    label_smoothing: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _LIMITS.items():
            span = getattr(self, name)
            if span is not None and not lowest <= span[0] < span[1] <= highest:
                raise FerError(
                    f"{WORDS[name]}: expected a lower and a higher value from {lowest} to {highest}. Received: {span}"
                )
        if not set(self.schedule) <= set(SCHEDULES) or any(count < -1 for count in self.open_layers):
            raise FerError(
                f"Expected schedules out of {', '.join(SCHEDULES)} and open layers from 0 on, or -1 for all. "
                f"Received: {self.schedule} and {self.open_layers}"
            )
        if not self.varied:
            raise FerError(
                f"Expected at least one setting to vary, with two values or more. There are: {', '.join(VARIABLE)}"
            )

    @classmethod
    def around(cls, spec: ModelSpec, recipe: Recipe, vary: Collection[str] = VARIABLE) -> SearchSpace:
        """Return a space around a recipe.

        Strength and open layers of a frozen backbone do not vary: its features could not be kept, and a trial would
        take minutes instead of seconds. Nor do the open layers of a network without backbone.

        Args:
            spec: the model.
            recipe: its usual one.
            vary: which of `VARIABLE`; those that cannot vary are left out.

        Raises:
            FerError: an unknown name, or nothing is left to vary.
        """
        unknown = sorted(set(vary) - set(VARIABLE))
        if unknown:
            raise FerError(f"Expected to vary some of {', '.join(VARIABLE)}. Received: {', '.join(unknown)}")
        peak = recipe.peak_learning_rate
        whole = {
            "learning_rate": (peak / 30, peak * 10),
            "schedule": _TRIED_SCHEDULES,
            "strength": (0.0, 1.5),
            "open_layers": _TRIED_OPEN_LAYERS,
            "label_smoothing": (0.0, 0.2),
        }
        return cls(**{name: whole[name] for name in variable(spec) if name in vary})  # type: ignore[arg-type]

    @property
    def varied(self) -> tuple[str, ...]:
        """The names of what varies."""
        return tuple(name for name in VARIABLE if len(getattr(self, name) or ()) > 1)

    def draw(self, trial: optuna.Trial) -> dict[str, Any]:
        """Let a trial choose a value for everything that varies."""
        drawn: dict[str, Any] = {}
        for name in self.varied:
            values = getattr(self, name)
            if name in _LIMITS:
                drawn[name] = trial.suggest_float(name, *values, log=name == "learning_rate")
            else:
                drawn[name] = trial.suggest_categorical(name, list(values))
        return drawn

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SearchSpace:
        """Build from `as_dict`'s result, or from its JSON.

        Raises:
            TypeError: a key is unknown.
            FerError: the values make no sense.
        """
        given: dict[str, Any] = {name: value if value is None else tuple(value) for name, value in values.items()}
        return cls(**given)


_LIMITS: Final = {"learning_rate": (1e-9, 1e3), "strength": (0.0, 2.0), "label_smoothing": (0.0, 0.9)}


def variable(spec: ModelSpec) -> tuple[str, ...]:
    """Return the names of what can vary for a model."""
    if spec.frozen:
        return ("learning_rate", "schedule", "label_smoothing")
    return VARIABLE if spec.architecture == "transfer" else tuple(n for n in VARIABLE if n != "open_layers")


def applied(drawn: dict[str, Any], spec: ModelSpec, recipe: Recipe) -> tuple[ModelSpec, Recipe]:
    """Return a model and its recipe with a trial's values put in."""
    names = {"learning_rate": "peak_learning_rate", "schedule": "schedule", "label_smoothing": "label_smoothing"}
    recipe = replace(recipe, **{names[name]: value for name, value in drawn.items() if name in names})
    if "strength" in drawn:
        crop = recipe.augmentation.crop if recipe.augmentation else 48
        recipe = replace(recipe, augmentation=Augmentation.of_strength(drawn["strength"], crop))
    if "open_layers" in drawn:
        spec = replace(spec, open_layers=drawn["open_layers"])
    return spec, recipe
