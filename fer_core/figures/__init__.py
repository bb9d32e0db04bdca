"""Pure functions: data in, one Altair chart out. They follow Streamlit's theme, and compute no metric."""

from fer_core.figures.class_counts import class_counts
from fer_core.figures.confusion import CELL, confusion_chart, difference_chart
from fer_core.figures.curves import confidence_bars, pr_chart, reliability_chart, roc_chart, training_chart
from fer_core.figures.intervals import AccuracyInterval, accuracy_intervals
from fer_core.figures.models import model_key
from fer_core.figures.pairs import pair_matrix
from fer_core.figures.paper import paper_chart
from fer_core.figures.probabilities import probability_bars, probability_change, probability_text
from fer_core.figures.ranking import class_bars, ranking
from fer_core.figures.time_share import expression_strips, time_share_bars, time_share_text
from fer_core.figures.timeline import timeline_chart
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
    "roc_chart",
    "setting_chart",
    "time_share_bars",
    "time_share_text",
    "timeline_chart",
    "training_chart",
    "tuning_history",
]
