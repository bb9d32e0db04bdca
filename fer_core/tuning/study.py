"""A study: its plan, its trials as a table, and what came out best. Imports Optuna, but no Keras."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, Final

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from fer_core.runs.run import RunPlan
from fer_core.tuning.plan import TuningPlan
from fer_core.tuning.sampling import SeededByTrial
from fer_core.tuning.space import applied
from fer_core.tuning.storage import database_errors
from fer_core.types import FerError

MIN_FOR_IMPORTANCE: Final = 8
"""Fewest finished trials from which importances are worth computing."""

STATES: Final = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "stopped early",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "working",
    TrialState.WAITING: "waiting",
}
"""Optuna's states, in words."""

CUT_OFF: Final = "cut off"
"""State of a trial whose process was stopped or died: it tells nothing about its settings, and does not count."""

NOTE: Final = "note"
"""Attribute of a trial: one sentence on why it failed or stopped."""

_PLAN, _WANTED, _FACES = "plan", "wanted", "faces"
_FREE_TRIALS, _FREE_EPOCHS = 4, 1  # no trial is stopped before so many have finished, nor in its first epoch


@dataclass(frozen=True)
class TuningStudy:
    """One study in its storage.

    Attributes:
        plan: what it is to do.
        study: Optuna's, which the storage keeps.
    """

    plan: TuningPlan
    study: optuna.Study

    @property
    def name(self) -> str:
        """What people call it."""
        return self.plan.name

    @property
    def wanted(self) -> int:
        """How many trials were asked for in all; 0 if nobody has yet."""
        return int(self.study.user_attrs.get(_WANTED, 0))

    @database_errors()
    def want(self, trials: int) -> None:
        """Ask for so many trials in all.

        Raises:
            FerError: fewer than one.
        """
        if trials < 1:
            raise FerError(f"Expected at least one trial. Received: {trials}")
        self.study.set_user_attr(_WANTED, trials)

    @database_errors()
    def ended(self) -> int:
        """Return how many trials have finished, were stopped early, or failed."""
        counted = [STATES[state] for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)]
        return sum(_state(trial) in counted for trial in self.study.get_trials(deepcopy=False))

    @database_errors()
    def claim_faces(self, fingerprint: str) -> None:
        """Note which faces the trials learn from, or make sure that they are the noted ones.

        Raises:
            FerError: earlier trials, perhaps on another machine, learnt from others.
        """
        noted = self.study.user_attrs.get(_FACES)
        if noted is None:
            self.study.set_user_attr(_FACES, fingerprint)
        elif noted != fingerprint:
            raise FerError(
                f"The study {self.name} learnt from other faces so far, so that its trials could not be compared. Use "
                "the same dataset on every machine, or start a new study under another name."
            )

    @database_errors()
    def trials(self) -> pd.DataFrame:
        """Return one row a trial, in their order.

        Returns:
            Columns `trial` (from 1), `state` (in words), `accuracy` (on the hold-out, 0 to 1: of a trial that was
            stopped early, or works, its last epoch's; NaN without any), `epochs` (finished), `seconds`, what varies
            under the names of `space.VARIABLE`, and `note`.
        """
        rows = [self._row(trial) for trial in self.study.get_trials(deepcopy=False)]
        columns = ["trial", "state", "accuracy", "epochs", "seconds", *self.plan.space.varied, "note"]
        return pd.DataFrame(rows, columns=columns)

    @database_errors()
    def best(self) -> FrozenTrial:
        """Return the finished trial with the highest accuracy on the hold-out, the first of several.

        Raises:
            FerError: none has finished.
        """
        finished = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not finished:
            raise FerError(f"No trial of {self.name} has finished yet.")
        return max(finished, key=lambda trial: (trial.value, -trial.number))

    @database_errors()
    def importances(self) -> dict[str, float]:
        """Return how much of the differences in accuracy each setting explains (fANOVA, Hutter et al. 2014).

        Returns:
            Shares that add up to 1, by the names of `space.VARIABLE`, the greatest first.

        Raises:
            FerError: too few trials have finished, or nothing differs.
        """
        finished = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(finished) < MIN_FOR_IMPORTANCE:
            raise FerError(
                f"What matters most can be told once {MIN_FOR_IMPORTANCE} trials have finished. So far: {len(finished)}"
            )
        if len({trial.value for trial in finished}) < 2:
            raise FerError("All finished trials reached the same accuracy, so that no setting matters more.")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self.plan.seed)
        shares = optuna.importance.get_param_importances(self.study, evaluator=evaluator)
        return {name: float(share) for name, share in shares.items()}

    def best_plan(self) -> RunPlan:
        """Return the plan of a full training with the best trial's settings, on all faces of the study's source.

        Raises:
            FerError: no trial has finished.
        """
        best = self.best()
        spec, recipe = applied(best.params, self.plan.spec, self.plan.recipe)
        data = replace(self.plan.data, faces=None) if self.plan.data.source == "fer2013" else self.plan.data
        return RunPlan(f"{self.plan.spec.title}, best of {self.name}", spec, recipe, data)

    def _row(self, trial: FrozenTrial) -> dict[str, Any]:
        last = trial.intermediate_values[max(trial.intermediate_values)] if trial.intermediate_values else None
        return {
            "trial": trial.number + 1,
            "state": _state(trial),
            "accuracy": float("nan") if (value := trial.value if trial.value is not None else last) is None else value,
            "epochs": len(trial.intermediate_values),
            "seconds": trial.duration.total_seconds() if trial.duration else float("nan"),
            **trial.params,
            "note": trial.user_attrs.get(NOTE, ""),
        }


def _state(trial: FrozenTrial) -> str:
    """Return a trial's state in words; a failure always has its note, and without one nobody was left to write it."""
    silent = trial.state == TrialState.FAIL and NOTE not in trial.user_attrs
    return CUT_OFF if silent else STATES[trial.state]


def create_study(plan: TuningPlan, storage: optuna.storages.RDBStorage) -> TuningStudy:
    """Write a study's plan into the storage, or open the study of that name if its plan is the same.

    Raises:
        FerError: there is one of that name with another plan, or the database fails.
    """
    with database_errors():
        study = optuna.create_study(
            storage=storage, study_name=plan.name, direction="maximize", load_if_exists=True, **_ways(plan)
        )
        noted = study.user_attrs.get(_PLAN)
        if noted is None:
            study.set_user_attr(_PLAN, plan.as_dict())
        elif TuningPlan.from_dict(noted) != plan:
            raise FerError(
                f"There is a study called {plan.name} with other settings. Go on with it by its name alone, or choose "
                "another name."
            )
    return TuningStudy(plan, study)


def open_study(name: str, storage: optuna.storages.RDBStorage) -> TuningStudy:
    """Return a study of the storage; trials of processes that died are marked as ended.

    Raises:
        FerError: there is none of that name, it is of another making, or the database fails.
    """
    with database_errors():
        names = study_names(storage)
        if name not in names:
            raise FerError(f"There is no study of that name. There are: {', '.join(names) or 'none'}. Received: {name}")
        plan = TuningPlan.from_dict(optuna.load_study(study_name=name, storage=storage).user_attrs.get(_PLAN, {}))
        study = optuna.load_study(study_name=name, storage=storage, **_ways(plan))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
    return TuningStudy(plan, study)


def study_names(storage: optuna.storages.RDBStorage) -> list[str]:
    """Return the names of all studies of FER Lab in the storage, the newest first.

    Raises:
        FerError: the database fails.
    """
    with database_errors():
        newest_first = sorted(storage.get_all_studies(), reverse=True)
        return [study.study_name for study in newest_first if _PLAN in study.user_attrs]


def _ways(plan: TuningPlan) -> dict[str, Any]:
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_FREE_TRIALS, n_warmup_steps=_FREE_EPOCHS)
    return {"sampler": SeededByTrial(plan.seed), "pruner": pruner}
