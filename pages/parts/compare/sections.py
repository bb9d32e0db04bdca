"""The sections of the Compare page, each one view of the models on show."""

from __future__ import annotations

from collections.abc import Callable

from pages.parts.compare.calibration import calibration
from pages.parts.compare.card import model_card
from pages.parts.compare.curves import robustness, roc_and_pr, training
from pages.parts.compare.paper import paper
from pages.parts.compare.results import Selection
from pages.parts.compare.scores import by_expression, scoreboard, significance

SECTIONS: dict[str, Callable[[Selection], None]] = {
    "Scoreboard": scoreboard,
    "F1 by expression": by_expression,
    "ROC and PR": roc_and_pr,
    "Calibration": calibration,
    "Robustness": robustness,
    "Significance": significance,
    "Training": training,
    "Paper": paper,
    "Model cards": model_card,
}
"""Name of each tab, and the function that shows it. Only the open tab is computed."""
