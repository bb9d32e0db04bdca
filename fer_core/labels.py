"""The seven expressions: their order, names and colours."""

from __future__ import annotations

from typing import Final

EXPRESSIONS: Final[tuple[str, ...]] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Names in FER2013's order: the position of a name is its class index."""

NUM_CLASSES: Final = len(EXPRESSIONS)

COLORS: Final[dict[str, str]] = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#7F7F7F",
}
"""Okabe and Ito's palette for colour-blind readers (jfly.uni-koeln.de/color). Always show the name as well."""

NOT_SURE: Final = "not sure"
"""What a model says instead of an expression if its confidence is below its threshold."""

_ALIASES: Final[dict[str, str]] = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "suprise": "surprise",  # as in a common edition of FER+
}


def expression_index(name: str) -> int:
    """Return the class index of an expression's name, in any case, or of another common name such as "happiness".

    Raises:
        ValueError: the name is none of the seven.
    """
    key = name.strip().lower()
    key = _ALIASES.get(key, key)
    if key not in EXPRESSIONS:
        raise ValueError(f"Unknown expression. Expected one of {', '.join(EXPRESSIONS)}. Received: {name!r}")
    return EXPRESSIONS.index(key)
