"""Run a study's trials: short fits, stopped early where others were better by then. Imports Keras."""

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
from fer_core.training.fit import fit, precision
from fer_core.training.recipe import uses_features
from fer_core.training.start import starting_network
from fer_core.training.training_data import TrainingData
from fer_core.tuning.space import applied
from fer_core.tuning.study import NOTE, TuningStudy
from fer_core.types import FerError

DIVERGED: Final = "The loss grew without bound: the learning rate is too high for these settings."
STARTS_THAT_FAIL: Final = 3
"""A study ends if so many trials fail before any has ended well: the next ones would fail too."""

_PAUSE: Final = 1.0  # seconds between two looks at the runs


def tune(
    study: TuningStudy,
    trials: int,
    data: TrainingData | None = None,
    say: Callable[[str], None] = lambda _: None,
    watch: Callable[[int, int, float], None] = lambda *_: None,
) -> None:
    """Work on a study until it has so many trials, together with whoever else works on it.

    A trial that fails is recorded with its reason, and the next one begins. Whatever ends this function, trials that
    have ended are kept, and the same call goes on. A trial begins only while no run works or waits on this computer.

    Args:
        study: which.
        trials: how many it shall have in all.
        data: what to learn from and to watch; default: as the plan says. Its test splits are not looked at.
        say: told in a sentence what happens.
        watch: told after each epoch: the trial (from 1), how many epochs are done, and the hold-out accuracy.

    Raises:
        FerError: the faces cannot be had or are other than earlier trials', or the first trials all fail.
    """
    if study.ended() >= trials:
        raise FerError(f"{study.name} has {study.ended()} trials already. Ask for more to go on with it.")
    study.want(trials)
    if data is None:
        data = load_training_data(study.plan.data, say).data
    study.claim_faces(data.fingerprint)
    prepared = data.prepared(study.plan.spec.preprocessing)
    run = _Trials(study, prepared, trials, say, watch)
    study.study.optimize(run.objective, callbacks=[run.ended], catch=(Exception,))


class _Trials:
    """What one process does for a study."""

    def __init__(
        self,
        study: TuningStudy,
        data: TrainingData,
        wanted: int,
        say: Callable[[str], None],
        watch: Callable[[int, int, float], None],
    ) -> None:
        self.study, self.data, self.wanted, self.say, self.watch = study, data, wanted, say, watch
        self.failures: list[str] | None = []  # None once a trial has ended well

    def objective(self, trial: optuna.Trial) -> float:
        """Return the hold-out accuracy of the weights that a training by the trial's settings would keep."""
        trial.set_user_attr("where", f"{platform.node()}, process {os.getpid()}")
        try:
            _let_runs_go_first(self.say)
            return self._fitted(trial)
        except (optuna.TrialPruned, KeyboardInterrupt):
            raise
        except Exception as error:
            trial.set_user_attr(NOTE, failure_message(error))
            raise

    def ended(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        """Say how a trial ended, and whether it was the last; give up if nothing but failures came."""
        if self.study.ended() >= self.wanted:
            study.stop()
        number, note = trial.number + 1, trial.user_attrs.get(NOTE, "")
        if trial.state == optuna.trial.TrialState.FAIL:
            self.say(f"Trial {number} failed. {note}")
            if self.failures is not None:
                self.failures.append(note)
                if len(self.failures) >= STARTS_THAT_FAIL:
                    raise FerError(f"The first {STARTS_THAT_FAIL} trials failed, so the study ends here. {note}")
            return
        self.failures = None
        if trial.state == optuna.trial.TrialState.PRUNED:
            self.say(f"Trial {number} stopped early. {note or 'Others were better by then.'}")
        else:
            best = study.best_trial
            self.say(f"Trial {number}: accuracy {trial.value:.3f} (best {best.value:.3f}, trial {best.number + 1})")

    def _fitted(self, trial: optuna.Trial) -> float:
        plan, faces = self.study.plan, self.data.training
        spec, recipe = applied(plan.space.draw(trial), plan.spec, replace(plan.recipe, epochs=plan.epochs))
        keras.backend.clear_session()
        keras.utils.set_random_seed(recipe.seed)
        network = starting_network(spec, "float32" if uses_features(spec, recipe) else precision(recipe).name)
        report = _Report(trial, self.watch)
        history = fit(network, spec, recipe, faces, self.data.holdout, callbacks=[report])
        if report.diverged:
            trial.set_user_attr(NOTE, DIVERGED)
        if report.diverged or report.behind:
            raise optuna.TrialPruned
        kept = -1  # the last epoch's weights stay, or, stopping early, those of the lowest hold-out loss
        if recipe.early_stopping:
            kept = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
        return history["val_accuracy"][kept]


class _Report(keras.callbacks.Callback):
    """Tells the study each epoch's hold-out accuracy; ends the fit where it is not worth going on."""

    def __init__(self, trial: optuna.Trial, watch: Callable[[int, int, float], None]) -> None:
        super().__init__()
        self.trial, self.watch = trial, watch
        self.behind = self.diverged = False

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        accuracy = float(logs["val_accuracy"])
        self.trial.report(accuracy, epoch)
        self.watch(self.trial.number + 1, epoch + 1, accuracy)
        self.diverged = not math.isfinite(logs["loss"])
        self.behind = epoch + 1 < self.params["epochs"] and self.trial.should_prune()
        if self.behind or self.diverged:
            self.model.stop_training = True


def _let_runs_go_first(say: Callable[[str], None]) -> None:
    told = False
    while any(run.status().active for run in list_runs()[0]):
        if not told:
            say("Waits until no run works or waits.")
            told = True
        time.sleep(_PAUSE)
