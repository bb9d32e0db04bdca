"""Run a study's trials: short fits, stopped early if they are worse than others were at that epoch. Imports Keras."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import keras
import optuna

from fer_core.runs.data import load_training_data
from fer_core.runs.run import list_runs
from fer_core.runs.status import failure_message
from fer_core.training.data import TrainingData
from fer_core.training.fit import fit, precision
from fer_core.training.initial_weights import initial_network
from fer_core.training.recipe import uses_features
from fer_core.tuning.plan import with_values
from fer_core.tuning.study import NOTE, TuningStudy
from fer_core.types import FerError

DIVERGED: Final = "The loss diverged: the learning rate is too high for these settings."
MAX_FIRST_FAILURES: Final = 3
"""A study ends when this many trials have failed before any has succeeded: the next ones would fail, too."""

_PAUSE: Final = 1.0  # seconds between two checks for runs


def tune(
    study: TuningStudy,
    trials: int,
    data: TrainingData | None = None,
    say: Callable[[str], None] = lambda _: None,
    on_epoch: Callable[[int, int, float], None] = lambda *_: None,
) -> None:
    """Run trials until a study has the requested number; several processes can work on the same study.

    Together they run exactly that number: a process without a trial to run waits for the others' last ones, and runs
    another if one of those processes is killed. A trial that fails is stored with its reason, and the next one begins.
    If this function is interrupted, trials that have ended are kept, and the same call continues the study. A trial
    begins only when no run is working or waiting on this computer.

    Args:
        study: the study.
        trials: number of trials that it will have in all.
        data: training faces and hold-out; by default those of the plan. Test splits are not used.
        say: called with progress messages.
        on_epoch: called after each epoch with the trial's number (from 1), the number of finished epochs, and the
            hold-out accuracy.

    Raises:
        FerError: the faces cannot be loaded or differ from those of earlier trials, or the first trials all fail.
    """
    if study.ended() >= trials:
        raise FerError(f"{study.name} has {study.ended()} trials already. Request more to continue it.")
    study.request(trials)
    if data is None:
        data = load_training_data(study.plan.data, say).data
    study.claim_faces(data.fingerprint)
    prepared = data.prepared(study.plan.spec.preprocessing)
    run = _Trials(study, prepared, trials, say, on_epoch)
    while run.has_room():
        study.study.optimize(run.objective, n_trials=1, callbacks=[run.ended], catch=(Exception,))


class _OneTooMany(Exception):
    """Another process began the last trial in the same moment. The trial says nothing and is not counted."""


class _Trials:
    """The trials that this process runs for a study."""

    def __init__(
        self,
        study: TuningStudy,
        data: TrainingData,
        requested: int,
        say: Callable[[str], None],
        on_epoch: Callable[[int, int, float], None],
    ) -> None:
        self.study, self.data, self.requested, self.say, self.on_epoch = study, data, requested, say, on_epoch
        self.first_failures: int | None = 0  # None once a trial has succeeded

    def has_room(self) -> bool:
        """Return whether another trial is to begin; wait while the trials of other processes may be the last ones."""
        reported = False
        while (room := self.study.room(self.requested)) is None:
            if not reported:
                self.say("Waiting for the last trials of other processes.")
                reported = True
            time.sleep(_PAUSE)
        return room

    def objective(self, trial: optuna.Trial) -> float:
        """Return the hold-out accuracy of the weights that a training with the trial's settings would keep."""
        if not self.study.room(self.requested, before=trial.number):
            raise _OneTooMany
        trial.set_user_attr("where", f"{platform.node()}, process {os.getpid()}")
        try:
            _wait_for_runs(self.say)
            return self._fitted(trial)
        except (optuna.TrialPruned, KeyboardInterrupt):
            raise
        except Exception as error:
            trial.set_user_attr(NOTE, failure_message(error))
            raise

    def ended(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        """Report how a trial ended; end the study if all trials so far have failed."""
        number, note = trial.number + 1, trial.user_attrs.get(NOTE, "")
        if trial.state == optuna.trial.TrialState.FAIL:
            if not note:  # another process began the last trial in the same moment
                return
            self.say(f"Trial {number} failed. {note}")
            if self.first_failures is not None:
                self.first_failures += 1
                if self.first_failures >= MAX_FIRST_FAILURES:
                    raise FerError(f"The first {MAX_FIRST_FAILURES} trials failed, so the study ends. {note}")
            return
        self.first_failures = None
        if trial.state == optuna.trial.TrialState.PRUNED:
            self.say(f"Trial {number} stopped early. {note or 'Other trials were better at that epoch.'}")
        else:
            best = study.best_trial
            reached = f"(best {best.value:.3f}, trial {best.number + 1})"
            self.say(f"Trial {number}: accuracy by label {trial.value:.3f} {reached}")

    def _fitted(self, trial: optuna.Trial) -> float:
        plan, faces = self.study.plan, self.data.training
        spec, recipe = with_values(plan.space.draw(trial), plan.spec, replace(plan.recipe, epochs=plan.epochs))
        keras.backend.clear_session()
        keras.utils.set_random_seed(recipe.seed)
        network = initial_network(spec, "float32" if uses_features(spec, recipe) else precision(recipe).name)
        report = _Report(trial, self.on_epoch)
        history = fit(network, spec, recipe=recipe, training=faces, holdout=self.data.holdout, callbacks=[report])
        if report.diverged:
            trial.set_user_attr(NOTE, DIVERGED)
        if report.diverged or report.behind:
            raise optuna.TrialPruned
        kept = -1  # a training keeps the last epoch's weights; with early stopping, those of the lowest hold-out loss
        if recipe.early_stopping:
            kept = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
        return history["val_accuracy"][kept]


class _Report(keras.callbacks.Callback):
    """Reports each epoch's hold-out accuracy to the study; ends the fit if the trial is pruned or diverges."""

    def __init__(self, trial: optuna.Trial, on_epoch: Callable[[int, int, float], None]) -> None:
        super().__init__()
        self.trial, self.report_epoch = trial, on_epoch
        self.behind = self.diverged = False

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        accuracy = float(logs["val_accuracy"])
        self.trial.report(accuracy, epoch)
        self.report_epoch(self.trial.number + 1, epoch + 1, accuracy)
        self.diverged = not math.isfinite(logs["loss"])
        self.behind = epoch + 1 < self.params["epochs"] and self.trial.should_prune()
        if self.behind or self.diverged:
            self.model.stop_training = True


def _wait_for_runs(say: Callable[[str], None]) -> None:
    reported = False
    while any(run.status().active for run in list_runs()[0]):
        if not reported:
            say("Waiting until no run is working or waiting.")
            reported = True
        time.sleep(_PAUSE)
