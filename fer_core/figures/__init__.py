"""Charts: pure functions from data to one Plotly figure. They compute no metric."""

from fer_core.figures.curves import (
    confidence_bars,
    reliability_chart,
    roc_pr_chart,
    training_chart,
)
from fer_core.figures.dataset import class_distribution, pixel_chart
from fer_core.figures.expression_bars import (
    answers_and_votes,
    class_counts,
    probability_bars,
    probability_change,
    probability_text,
    time_share_bars,
    time_share_text,
    vote_bars,
)
from fer_core.figures.face_map import COLORINGS, face_map_chart
from fer_core.figures.groups import error_leaves, group_rates
from fer_core.figures.matrices import confusion_chart, difference_chart, pair_matrix
from fer_core.figures.model_answers import model_answers
from fer_core.figures.robustness import robustness_chart
from fer_core.figures.scores import AccuracyInterval, accuracy_intervals, class_scores, paper_chart, ranking
from fer_core.figures.timeline import expression_strips, timeline_chart
from fer_core.figures.tour import logit_bars, number_grid, softmax_table
from fer_core.figures.tuning import importance_bars, setting_chart, tuning_history

__all__ = [
    "COLORINGS",
    "AccuracyInterval",
    "accuracy_intervals",
    "answers_and_votes",
    "class_counts",
    "class_distribution",
    "class_scores",
    "confidence_bars",
    "confusion_chart",
    "difference_chart",
    "error_leaves",
    "expression_strips",
    "face_map_chart",
    "group_rates",
    "importance_bars",
    "logit_bars",
    "model_answers",
    "number_grid",
    "pair_matrix",
    "paper_chart",
    "pixel_chart",
    "probability_bars",
    "probability_change",
    "probability_text",
    "ranking",
    "reliability_chart",
    "robustness_chart",
    "roc_pr_chart",
    "setting_chart",
    "softmax_table",
    "time_share_bars",
    "time_share_text",
    "timeline_chart",
    "training_chart",
    "tuning_history",
    "vote_bars",
]
