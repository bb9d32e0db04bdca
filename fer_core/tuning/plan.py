"""What a study is to do: one record, written into its storage once. Keras-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fer_core.files import checked_name
from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings
from fer_core.training.named import BASELINES
from fer_core.training.recipe import Recipe
from fer_core.tuning.space import SearchSpace
from fer_core.types import FerError


@dataclass(frozen=True)
class TuningPlan:
    """A study as it was asked for.

    Attributes:
        name: the study's; whoever names it again goes on with it.
        spec: the model.
        recipe: its recipe for a full training; a trial takes it with fewer epochs and the values it has drawn.
        data: what trials learn from; as few faces as tell good settings from bad ones.
        epochs: of a trial.
        space: what varies.
        seed: of the draws.

    Raises:
        FerError: on creation, if a value makes no sense.
    """

    name: str
    spec: ModelSpec
    recipe: Recipe
    data: DataSettings
    epochs: int
    space: SearchSpace
    seed: int = 0

    def __post_init__(self) -> None:
        checked_name(self.name, "study")
        if self.epochs < 1:
            raise FerError(f"Expected at least one epoch a trial. Received: {self.epochs}")
        if self.spec.architecture in BASELINES:
            raise FerError(f"{self.spec.name} has no settings to tune. Choose a network.")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for the storage."""
        parts = {part: getattr(self, part).as_dict() for part in ("spec", "recipe", "data", "space")}
        return {"name": self.name, "epochs": self.epochs, "seed": self.seed, **parts}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TuningPlan:
        """Build from `as_dict`'s result.

        Raises:
            FerError: a part is missing or of another version's making.
        """
        try:
            return cls(
                str(values["name"]),
                ModelSpec.from_dict(values["spec"]),
                Recipe.from_dict(values["recipe"]),
                DataSettings.from_dict(values["data"]),
                int(values["epochs"]),
                SearchSpace.from_dict(values["space"]),
                int(values["seed"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FerError(
                f"A study was made by another version of FER Lab and cannot be read ({error}). Start a new one under "
                "another name."
            ) from error
