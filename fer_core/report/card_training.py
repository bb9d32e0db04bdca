"""How a model was fitted, as its card for people says it."""

from __future__ import annotations

from typing import Any

from fer_core.models.spec import WEIGHTS
from fer_core.report.card_texts import TARGETS
from fer_core.store.card import ModelCard


def training_text(card: ModelCard) -> str:
    """Return how the model was fitted, as a list of what the card knows."""
    training, recipe = card.training, card.recipe
    members = recipe.get("members") or ()
    given: dict[str, Any] = {
        "Members": ", ".join(f"`{name}`" for name in members),
        "Answer": recipe.get("fusion", ""),
        "Accuracy on the hold-out": _ensemble_accuracy(training),
    }
    fitted: dict[str, Any] = {
        "Starts from": {"none": "", **WEIGHTS}.get(card.weights_from, card.weights_from),
        "Trained": card.trained_part,
        "Target": TARGETS.get(str(recipe.get("target", "labels")), ""),
        "Served head": _served_head(training),
        "Teachers": ", ".join(f"`{name}`" for name in recipe.get("teachers") or ()),
        "Epochs, seed": f"{training['epochs']}, {training.get('seed', '–')}" if training.get("epochs") else "",
        "Time": _time(training),
    }
    if not members:
        given |= fitted
    given |= {
        "Faces": _counted(training.get("faces"), training.get("data")),
        "Hold-out": _counted(training.get("holdout_faces"), _holdout(training)),
        "Code": f"commit {training['commit']}" if training.get("commit") else "",
    }
    return "\n".join(f"- {name}: {value}" for name, value in given.items() if value and value != "–")


def _holdout(training: Any) -> str:
    """Return how the hold-out was drawn, and what for."""
    rule = training.get("holdout")
    if rule is None and str(training.get("data", "")).startswith("FER2013"):
        rule = "stratified tenth of `fer2013.csv`; it contains the fixed list of rows, which newer models hold out"
    return f"on which settings were chosen{f' ({rule})' if rule else ''}"


def _ensemble_accuracy(training: Any) -> str:
    """Return the accuracy of an ensemble by FER2013's label; nothing for other models."""
    found = training.get("ensemble_holdout_accuracy")
    return f"{found['plain']:.1%}; with the mirror image, {found['flip']:.1%}" if found else ""


def _served_head(training: Any) -> str:
    """Return how a head that learned labels and one that learned votes became one."""
    if "votes_share" not in training:
        return ""
    text = f"the weighted mean of both heads, {training['votes_share']:.0%} votes"
    if training.get("frequency_correction"):
        text += f", corrected for the frequency of each expression by {training['frequency_correction']:.0%}"
    if training.get("temperature"):
        text += f", temperature {training['temperature']:.2f}"
    return f"{text}; chosen on the hold-out"


def _counted(number: Any, what: Any) -> str:
    return f"{number:,}{f', {what}' if what else ''}" if isinstance(number, int) else ""


def _time(training: Any) -> str:
    if not training.get("seconds"):
        return ""
    device = f" on {training['device']}" if training.get("device") else ""
    return f"{training['seconds'] / 60:,.0f} minutes{device}"
