"""What a run is to do: one record, written once when it is submitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fer_core.models import ModelSpec
from fer_core.runs.choice import DataChoice
from fer_core.training.recipe import Recipe
from fer_core.types import FerError


@dataclass(frozen=True)
class RunPlan:
    """A training as it was asked for.

    Attributes:
        title: what people call the run.
        spec: what is built.
        recipe: how it is fitted.
        data: what it learns from.
    """

    title: str
    spec: ModelSpec
    recipe: Recipe
    data: DataChoice

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for `plan.json`."""
        return {
            "title": self.title,
            "spec": self.spec.as_dict(),
            "recipe": self.recipe.as_dict(),
            "data": self.data.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunPlan:
        """Build from `as_dict`'s result.

        Raises:
            FerError: a part is missing or of another version's making.
        """
        try:
            return cls(
                str(values["title"]),
                ModelSpec.from_dict(values["spec"]),
                Recipe.from_dict(values["recipe"]),
                DataChoice.from_dict(values["data"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FerError(f"The plan cannot be read: {error}.") from error
