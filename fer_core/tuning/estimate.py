"""How long a study will take. Keras-free."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fer_core.runs.data import expected_faces
from fer_core.runs.estimate import Estimate, estimate
from fer_core.tuning.plan import TuningPlan

BUILDING: Final = 8.0
"""Seconds to build a network and to trace its first step, in each trial anew; measured for `compact_cnn`."""


def study_estimate(plan: TuningPlan, trials: int) -> Estimate:
    """Say how long so many trials will take at most: without any that is stopped early.

    Args:
        plan: the study's; features of a frozen backbone are computed once for all trials.
        trials: how many.
    """
    faces = expected_faces(plan.data)

    def with_epochs(epochs: int) -> Estimate:
        return estimate(plan.spec, replace(plan.recipe, epochs=epochs), faces)

    once = with_epochs(1)
    fitting = with_epochs(1 + plan.epochs).seconds - once.seconds
    return replace(once, seconds=once.seconds + trials * (BUILDING + fitting))
