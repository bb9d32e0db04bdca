"""Pure functions: data in, one Altair chart out. They follow Streamlit's theme, and compute no metric."""

from fer_core.figures.intervals import AccuracyInterval, accuracy_intervals
from fer_core.figures.probabilities import probability_bars, probability_change, probability_text

__all__ = [
    "AccuracyInterval",
    "accuracy_intervals",
    "probability_bars",
    "probability_change",
    "probability_text",
]
