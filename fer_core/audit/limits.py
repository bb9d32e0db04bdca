"""What an audit can and cannot say, for the page and the command line."""

from __future__ import annotations

from typing import Final

LIMITS: Final[dict[str, str]] = {
    "These faces, this model.": "The numbers describe the pictures at hand. Other cameras, other light and other "
    "people can give others.",
    "The groups are those of the table.": "No model here guesses gender, age or ethnicity, and none should: a face "
    "does not show them. In UTKFace they are estimates by software, checked by people, not what anyone said of "
    "themselves.",
    "A gap in predictions is not yet an error.": "Without known expressions nobody can say who is right. If men are "
    "predicted angry more often than women, the model may be wrong, or the men on these pictures may scowl more "
    "often. With known expressions, compare recall and precision.",
    "Labels are judgements too.": "Annotators can hold the same prejudice as the model that learns from them. Equal "
    "recall by their labels does not prove that a model treats people alike.",
    "Small groups say little.": "Rates of fewer faces than the minimum are not compared. Several pictures of one "
    "person count as several faces, so the intervals are then too narrow.",
    "No gap found is not no gap.": "It may be too small for the number of faces, or in a group that nobody named.",
    "Fair is not fit for use.": "Even without any gap, an expression is not a feeling, and no decision about a person "
    "should depend on it.",
}
"""Sentences by their short form."""
