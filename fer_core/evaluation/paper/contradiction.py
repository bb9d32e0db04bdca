"""One place where the paper disagrees with itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["values", "impossible", "text", "definition", "rounding", "method", "naming"]
"""values: one quantity, different numbers. impossible: numbers that no single set of predictions has. text: prose
against a table. definition: a column that does not hold what its title says. method: how it was done, told twice.
rounding and naming: harmless."""


@dataclass(frozen=True)
class Statement:
    """One side of a contradiction: a number or a quotation, and the place that gives it."""

    where: str
    value: float | str


@dataclass(frozen=True)
class Contradiction:
    """A place where the paper disagrees with itself.

    Attributes:
        kind: see `Kind`.
        topic: what it is about, in a few words.
        variants: our names of the models concerned; empty if it concerns all.
        statements: at least two that do not fit together.
        note: one sentence that says what does not fit.
    """

    kind: Kind
    topic: str
    variants: tuple[str, ...]
    statements: tuple[Statement, ...]
    note: str


def contradiction(
    kind: Kind, topic: str, variants: str, note: str, *statements: tuple[str, float | str]
) -> Contradiction:
    """Build one from its variants' names divided by spaces and its `(where, value)` pairs."""
    sides = tuple(Statement(where, value) for where, value in statements)
    return Contradiction(kind, topic, tuple(variants.split()), sides, note)
