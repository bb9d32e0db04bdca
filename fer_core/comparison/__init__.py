"""Stored models side by side: their answers read once, fused, tabled, and traced back to faces.

Everything here returns plain tables (`pandas.DataFrame`) that pages show, `fer_core.figures` draws and
`python -m fer_core report` saves.
"""

from fer_core.comparison.album import Album, open_album
from fer_core.comparison.answers import ENSEMBLE, Answers, load_answers
from fer_core.comparison.cells import (
    SHOWN,
    cell_faces,
    confusion_cells,
    difference_cells,
    differing_faces,
    sample_faces,
)
from fer_core.comparison.curves import (
    calibration,
    curve_points,
    curves_of,
    histories,
    reliability_bins,
    thresholds,
    training_curves,
)
from fer_core.comparison.fusion import FUSIONS, HIGHEST_EXPONENT, LOWEST_EXPONENT, Ensemble, fuse
from fer_core.comparison.latency import face_milliseconds
from fer_core.comparison.pairs import LEVEL, both_ways, pairs
from fer_core.comparison.published import (
    NOT_TRAINED,
    PAPER_VARIANTS,
    paper_contradictions,
    paper_f1,
    paper_marks,
    paper_notes,
    paper_overall,
    paper_recomputed,
)
from fer_core.comparison.tables import Measured, class_f1, measure, scoreboard

__all__ = [
    "ENSEMBLE",
    "FUSIONS",
    "HIGHEST_EXPONENT",
    "LEVEL",
    "LOWEST_EXPONENT",
    "NOT_TRAINED",
    "PAPER_VARIANTS",
    "SHOWN",
    "Album",
    "Answers",
    "Ensemble",
    "Measured",
    "both_ways",
    "calibration",
    "cell_faces",
    "class_f1",
    "confusion_cells",
    "curve_points",
    "curves_of",
    "difference_cells",
    "differing_faces",
    "face_milliseconds",
    "fuse",
    "histories",
    "load_answers",
    "measure",
    "open_album",
    "pairs",
    "paper_contradictions",
    "paper_f1",
    "paper_marks",
    "paper_notes",
    "paper_overall",
    "paper_recomputed",
    "reliability_bins",
    "sample_faces",
    "scoreboard",
    "thresholds",
    "training_curves",
]
