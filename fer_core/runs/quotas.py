"""What a visitor of a shared server may train: how many runs at once, how long, and with how much disk space."""

from __future__ import annotations

from fer_core.runs.data import expected_faces
from fer_core.runs.estimate import duration_text, estimate
from fer_core.runs.run import RunPlan, list_runs
from fer_core.types import FerError
from fer_core.visitors import check_room, limits


def check_training(plan: RunPlan) -> None:
    """Check that the current visitor may start a training. Without a shared server nothing is checked.

    Raises:
        FerError: a limit is exceeded.
    """
    given = limits()
    if given is None:
        return
    check_active()
    check_room(0)
    seconds = estimate(plan.spec, plan.recipe, expected_faces(plan.data)).seconds
    if seconds > 60 * given.training_minutes:
        raise FerError(
            f"This training would take too long for this server. Expected at most {given.training_minutes:g} minutes; "
            f"choose fewer faces, fewer epochs or a smaller network. Received: {duration_text(seconds)}"
        )


def check_active() -> None:
    """Check that the current visitor may have one more training that waits or works.

    Raises:
        FerError: there are too many.
    """
    given = limits()
    if given is None:
        return
    active = sum(run.status().active for run in list_runs()[0])
    if active >= given.trainings:
        raise FerError(
            f"Too many of your trainings wait or work on this server. Expected at most {given.trainings} at a time; "
            f"wait until it ends, or stop it. Received: {active + 1}"
        )
