"""Charts: pure functions from data to one Altair chart, which follows Streamlit's theme. They compute no metric."""

from fer_core.figures.expression_bars import (
    class_counts,
    probability_bars,
    probability_change,
    probability_text,
    time_share_bars,
    time_share_text,
)
from fer_core.figures.line_charts import confidence_bars, pr_chart, reliability_chart, roc_chart, training_chart
from fer_core.figures.matrices import CELL, confusion_chart, difference_chart, pair_matrix
from fer_core.figures.robustness import robustness_chart
from fer_core.figures.scores import AccuracyInterval, accuracy_intervals, class_bars, paper_chart, ranking
from fer_core.figures.style import model_key
from fer_core.figures.timeline import expression_strips, timeline_chart
from fer_core.figures.tuning import importance_bars, setting_chart, tuning_history

__all__ = [
    "CELL",
    "AccuracyInterval",
    "accuracy_intervals",
    "class_bars",
    "class_counts",
    "confidence_bars",
    "confusion_chart",
    "difference_chart",
    "expression_strips",
    "importance_bars",
    "model_key",
    "pair_matrix",
    "paper_chart",
    "pr_chart",
    "probability_bars",
    "probability_change",
    "probability_text",
    "ranking",
    "reliability_chart",
    "robustness_chart",
    "roc_chart",
    "setting_chart",
    "time_share_bars",
    "time_share_text",
    "timeline_chart",
    "training_chart",
    "tuning_history",
]
