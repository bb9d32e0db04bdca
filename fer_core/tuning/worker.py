"""Work on a study: short fits, stopped early if they are worse than others were at that epoch.

`python -m fer_core.tuning.worker STUDY TRIALS` is the job that the Fine-tune page starts. Importing this module imports
neither Optuna nor Keras.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from fer_core import jobs
from fer_core.files import checked_name, home
from fer_core.jobs import log_line
from fer_core.runs.data import load_training_data
from fer_core.runs.run import list_runs
from fer_core.runs.status import failure_message
from fer_core.training.data import TrainingData
from fer_core.training.recipe import uses_features
from fer_core.tuning.plan import NOTE, with_values
from fer_core.types import FerError

if TYPE_CHECKING:
    import optuna

    from fer_core.tuning.study import TuningStudy

DIVERGED: Final = "The loss diverged: the learning rate is too high for these settings."
MAX_FIRST_FAILURES: Final = 3  # trials that fail before any has succeeded end a study: the next ones would fail, too
_PAUSE: Final = 1.0  # seconds between two checks for runs


def start(name: str, trials: int) -> None:
    """Start a job that works on a study of the default storage until it has `trials`; it outlives this process."""
    folder = _folder(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".start.lock", timeout=10):
            if jobs.alive(folder):
                raise FerError(f"A process is already working on {name}.")
            jobs.start("-m", "fer_core.tuning.worker", name, str(trials), folder=folder)
    except Timeout as error:
        raise FerError(f"{name} is being started by another process.") from error
    except OSError as error:
        raise FerError(f"{name} could not be started ({error.strerror}).") from error


def working(name: str) -> bool:
    """Whether a job that a page has started is working on a study. Cheap."""
    return jobs.alive(_folder(name))


def stop(name: str) -> None:
    """Ask a study's job to stop, and return at once; finished trials are kept."""
    jobs.stop(_folder(name))


def log(name: str, lines: int) -> str:
    """Return the last lines of the output of a study's jobs; empty if there is none."""
    return jobs.read_log(_folder(name), lines)


def tune(
    study: TuningStudy,
    trials: int,
    *,
    data: TrainingData | None = None,
    say: Callable[[str], None] = lambda _: None,
    on_epoch: Callable[[int, int, float], None] = lambda *_: None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> None:
    """Run trials until a study has the requested number. A trial begins only when no run is working or waiting.

    A trial that fails is stored with its reason, and the next one begins. If this function is interrupted, trials that
    have ended are kept, and the same call continues the study. Several processes may work on a study: trials that begin
    at once may then be more than were requested. Of `data`, by default the plan's, no test split is used. `on_epoch` is
    called with the trial's number from 1, the finished epochs and the hold-out accuracy, `stop_asked` at each step.
    """
    if study.ended() >= trials:
        raise FerError(f"{study.name} has {study.ended()} trials already. Request more to continue it.")
    study.request(trials)
    if data is None:
        data = load_training_data(study.plan.data, say).data
    study.claim_faces(data.fingerprint)
    prepared = data.prepared(study.plan.spec.preprocessing)
    work = _Trials(study, prepared, say=say, on_epoch=on_epoch, stop_asked=stop_asked)
    while study.ended() < trials:
        study.seed_next()
        study.study.optimize(work.objective, n_trials=1, callbacks=[work.ended], catch=(Exception,))


@dataclass
class _Trials:
    """The trials that this process runs for a study; for the arguments see `tune`."""

    study: TuningStudy
    data: TrainingData
    say: Callable[[str], None]
    on_epoch: Callable[[int, int, float], None]
    stop_asked: Callable[[], bool]
    failures: int = 0
    succeeded: bool = False

    def objective(self, trial: optuna.Trial) -> float:
        """Return the hold-out accuracy of the weights that a training with the trial's settings would keep."""
        from optuna import TrialPruned

        self._check()
        try:
            self._wait_for_runs()
            return self._fitted(trial)
        except Exception as error:
            if not isinstance(error, TrialPruned):
                trial.set_user_attr(NOTE, failure_message(error))
            raise

    def ended(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        """Report how a trial ended; end the study if all trials so far have failed."""
        number, note = trial.number + 1, trial.user_attrs.get(NOTE, "")
        if trial.state.name == "FAIL":
            self.say(f"Trial {number} failed. {note}")
            self.failures += 1
            if self.failures == MAX_FIRST_FAILURES and not self.succeeded:
                raise FerError(f"The first {MAX_FIRST_FAILURES} trials failed, so the study ends. {note}")
            return
        self.succeeded = True
        if trial.state.name == "PRUNED":
            self.say(f"Trial {number} stopped early. {note or 'Other trials were better at that epoch.'}")
        else:
            best = f"(best {study.best_value:.3f}, trial {study.best_trial.number + 1})"
            self.say(f"Trial {number}: accuracy by label {trial.value:.3f} {best}")

    def _fitted(self, trial: optuna.Trial) -> float:
        import keras
        from optuna import TrialPruned

        from fer_core.training.fit import fit, precision
        from fer_core.training.initial_weights import initial_network

        plan = self.study.plan
        short = replace(plan.recipe, epochs=plan.epochs)
        spec, recipe = with_values(plan.space.draw(trial), spec=plan.spec, recipe=short)
        spec = replace(spec, classes=self.data.training.classes)
        keras.backend.clear_session()
        keras.utils.set_random_seed(recipe.seed)
        network = initial_network(spec, "float32" if uses_features(spec, recipe) else precision(recipe).name)

        def epoch_ends(epoch: int, logs: dict[str, Any]) -> None:
            accuracy = float(logs["val_accuracy"])
            trial.report(accuracy, epoch)
            self.on_epoch(trial.number + 1, epoch + 1, accuracy)
            if not math.isfinite(logs["loss"]):
                trial.set_user_attr(NOTE, DIVERGED)
                raise TrialPruned
            if epoch + 1 < recipe.epochs and trial.should_prune():
                raise TrialPruned

        report = keras.callbacks.LambdaCallback(
            on_epoch_end=epoch_ends,
            on_train_batch_end=lambda batch, logs: self._check(),  # noqa: ARG005
        )
        training, holdout = self.data.training, self.data.holdout
        history = fit(network, spec, recipe=recipe, training=training, holdout=holdout, callbacks=[report])
        losses = history[
            "val_loss"
        ]  # with early stopping a training keeps the weights of the lowest, else the last ones
        kept = min(range(len(losses)), key=losses.__getitem__) if recipe.early_stopping else -1
        return history["val_accuracy"][kept]

    def _check(self) -> None:
        if self.stop_asked():
            raise KeyboardInterrupt

    def _wait_for_runs(self) -> None:
        if any(run.status().active for run in list_runs()[0]):
            self.say("Waiting until no run is working or waiting.")
        while any(run.status().active for run in list_runs()[0]):
            self._check()
            time.sleep(_PAUSE)


def main(name: str, trials: int) -> int:
    """Work on a study until it has `trials` trials; return the exit status."""
    folder = _folder(name)
    with jobs.working(folder):
        try:
            from fer_core.tuning.study import open_storage, open_study

            study = open_study(name, open_storage())
            log_line("Starting Keras")
            tune(study, trials, say=log_line, stop_asked=lambda: jobs.stop_asked(folder))
        except KeyboardInterrupt:
            log_line("Stopped. The finished trials are kept.")
        except FerError as error:
            log_line(f"Error: {error}")
            return 1
    return 0


def _folder(name: str) -> Path:
    return home() / "tuning" / checked_name(name, "study")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
