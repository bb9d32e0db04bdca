"""What a model's card says of how it was made, whatever it leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fer_core.store import StoredModel

_TRAINED: Final = {"random": "every layer", "none": "no network"}
"""For cards that do not say which part was trained."""


@dataclass(frozen=True)
class Facts:
    """One model, apart from its predictions.

    Attributes:
        size_bytes: of the served file; None for a model kept for comparison only.
        parameters: how many; None if the card has no number.
        trained: which part was trained, in words.
        weights_from: where the weights start, as the card says.
        holdout_accuracy: of what is served, on the fixed tenth of Training, or on a part of it; None if the card has
            none, or one of own pictures, which says nothing of FER2013.
    """

    size_bytes: int | None = None
    parameters: int | None = None
    trained: str = "–"
    weights_from: str = "–"
    holdout_accuracy: float | None = None


def facts(model: StoredModel) -> Facts:
    """Read a model's card; what is missing or of another type is left out."""
    card = model.card
    served = _dictionary(card.get("served"))
    parameters = _number(card.get("parameters"))
    return Facts(
        size_bytes=model.size_bytes or None,
        parameters=None if parameters is None else int(parameters),
        trained=_trained(card),
        weights_from=str(card.get("weights_from") or "–"),
        holdout_accuracy=_holdout(card, served),
    )


def _trained(card: dict[str, Any]) -> str:
    stated = card.get("trained")
    return stated if isinstance(stated, str) else _TRAINED.get(str(card.get("weights_from")), "–")


def _holdout(card: dict[str, Any], served: dict[str, Any]) -> float | None:
    if str(_dictionary(card.get("training")).get("data", "")).startswith("own pictures"):
        return None
    stated = served.get("holdout_accuracy", card.get("holdout_accuracy"))
    if isinstance(stated, dict):
        stated = stated.get(served.get("storage"))
    return _number(stated)


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
