"""The recipe of each named network."""

from __future__ import annotations

from fer_core.training.head import HeadRecipe
from fer_core.training.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    # 64 epochs take 75 to 100 minutes on two cores; the hold-out came to rest over the last ten of them
    "compact_cnn": Recipe(epochs=64),
}

HEAD_RECIPES: dict[str, HeadRecipe] = {
    # a linear head is a convex problem: 20 epochs of a falling rate bring the hold-out curve to rest
    "mobilenetv2_frozen": HeadRecipe(epochs=20),
}
