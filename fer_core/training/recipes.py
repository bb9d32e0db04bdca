"""The recipe of each named model."""

from __future__ import annotations

from fer_core.training.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    # 64 epochs fit into two hours of two cores beside other work; the curves were still rising slowly at the end.
    "compact_cnn": Recipe(epochs=64),
}
