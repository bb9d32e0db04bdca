"""A tuning study in its database: its plan, its trials as a table, and the best of them.

Imports Optuna and SQLAlchemy (half a second), but not Keras.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import optuna
import pandas as pd
import sqlalchemy
from optuna import visualization
from optuna.trial import FrozenTrial, TrialState

from fer_core.columns import percent
from fer_core.files import whole_file
from fer_core.runs.run import RunPlan
from fer_core.tuning.plan import NOTE, SETTING_LABELS, TuningPlan, default_storage, with_values
from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import plotly.graph_objects as go

MIN_FOR_IMPORTANCE: Final = 8  # finished trials needed to compute importances
STATES: Final = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "stopped early",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "working",
    TrialState.WAITING: "waiting",
}
CUT_OFF: Final = "cut off"
"""State of a trial whose process was stopped or killed. It says nothing about its settings and is not counted."""

_PLAN, _REQUESTED, _FACES = "plan", "wanted", "faces"  # attributes of a study
_RANDOM_TRIALS = 6  # sampled at random; later ones by a tree-structured Parzen estimator (TPE)
_LOCK_SECONDS = 60  # for which SQLite waits for other processes to finish writing
_HEARTBEAT_SECONDS, _GRACE_SECONDS = 20, 90  # between a trial's heartbeats; without one until it is cut off
_PRUNER: Final = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1)
"""No trial is stopped before four have finished, or in its first epoch."""


def open_storage(address: str | None = None) -> optuna.storages.RDBStorage:
    """Open the database of the studies; its tables are created on demand.

    `address` is a URL of SQLAlchemy, None for `default_storage()`. The driver for PostgreSQL comes with FER Lab, others
    must be installed. A `FerError` says why it cannot be opened.
    """
    address = address or default_storage()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        url = sqlalchemy.engine.make_url(address)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise FerError(
            "The URL of the studies' database is not valid. Expected for example sqlite:////shared/tuning.db or "
            "postgresql+psycopg://user:password@host/name."
        ) from error
    local = url.get_backend_name() == "sqlite"
    engine = {"connect_args": {"timeout": _LOCK_SECONDS}} if local else {"pool_pre_ping": True}
    options = {"engine_kwargs": engine, "heartbeat_interval": _HEARTBEAT_SECONDS, "grace_period": _GRACE_SECONDS}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(address, **options)
    except Exception as error:  # whatever the database's driver raises
        name, why = url.render_as_string(hide_password=True), reason(error.__cause__ or error)
        raise FerError(f"The studies' database {name} cannot be opened: {why}") from error


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise a `FerError` instead of an error of SQLAlchemy or Optuna's storage; also usable as a decorator."""
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise FerError(f"The studies' database does not answer: {reason(error.__cause__ or error)}") from error


@dataclass(frozen=True)
class TuningStudy:
    """A study in its storage: as it was requested, and Optuna's."""

    plan: TuningPlan
    study: optuna.Study

    @property
    def name(self) -> str:
        """The study's name."""
        return self.plan.name

    @property
    def requested(self) -> int:
        """Number of trials that were requested in all; 0 before the first request."""
        return int(self.study.user_attrs.get(_REQUESTED, 0))

    @database_errors()
    def request(self, trials: int) -> None:
        """Request a number of trials in all."""
        self.study.set_user_attr(_REQUESTED, trials)

    @database_errors()
    def ended(self) -> int:
        """Return the number of trials that have finished, were stopped early, or failed."""
        trials = self.study.get_trials(deepcopy=False)
        return sum(trial.state.is_finished() and _state(trial) != CUT_OFF for trial in trials)

    @database_errors()
    def seed_next(self) -> None:
        """Seed the sampler by the number of trials: a resumed study does not sample its first values again."""
        seed = (self.plan.seed * 100_003 + len(self.study.get_trials(deepcopy=False))) % 2**32
        self.study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_RANDOM_TRIALS)

    @database_errors()
    def claim_faces(self, fingerprint: str) -> None:
        """Store which faces the trials learn from, or refuse others than earlier trials, perhaps elsewhere, had."""
        known = self.study.user_attrs.get(_FACES)
        if known is None:
            self.study.set_user_attr(_FACES, fingerprint)
        elif known != fingerprint:
            raise FerError(
                f"The earlier trials of {self.name} learned from other faces, so accuracies cannot be compared. Use "
                "the same dataset on every computer, or start a new study under another name."
            )

    @database_errors()
    def trials(self) -> pd.DataFrame:
        """Return one row per trial, in their order.

        Columns: `trial` (from 1), `state` (one of `STATES` or `CUT_OFF`), `accuracy` (on the hold-out; of the last
        epoch if the trial is working or was stopped early; NaN before the first one), `epochs` (finished), `seconds`,
        the settings that vary (names as in `plan.TUNABLE`), and `note`.
        """
        rows = [_row(trial) for trial in self.study.get_trials(deepcopy=False)]
        columns = ["trial", "state", "accuracy", "epochs", "seconds", *self.plan.space.varied, "note"]
        return pd.DataFrame(rows, columns=columns)

    @database_errors()
    def best(self) -> FrozenTrial:
        """Return the finished trial with the highest accuracy on the hold-out, the first of equal ones."""
        finished = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not finished:
            raise FerError(f"No trial of {self.name} has finished yet.")
        return max(finished, key=lambda trial: (trial.value, -trial.number))

    def best_in_words(self) -> str:
        """Say which trial is the best, and what its settings are; errors as of `best`."""
        best = self.best()
        texts = {
            name: f"{x:.3g}" if isinstance(x, float) else str(x).replace("_", " ") for name, x in best.params.items()
        }
        values = ", ".join(f"{SETTING_LABELS[name].lower()} {text}" for name, text in texts.items())
        share = percent(best.value or 0.0, ".1%")
        return f"Best: trial {best.number + 1} with {share} of the hold-out, by the label. Its {values}."

    @database_errors()
    def history_chart(self) -> go.Figure:
        """Return Optuna's chart of the accuracy of each finished trial, with the best so far."""
        figure = visualization.plot_optimization_history(self.study, target_name="Hold-out accuracy")
        figure.for_each_trace(lambda trace: trace.update(x=[number + 1 for number in trace.x]))  # as in `trials`
        return _laid_out(figure)

    @database_errors()
    def setting_chart(self, name: str) -> go.Figure:
        """Return Optuna's chart of the accuracy of the finished trials by one setting of `plan.TUNABLE`."""
        figure = visualization.plot_slice(self.study, params=[name], target_name="Hold-out accuracy")
        return _laid_out(figure).update_xaxes(title=SETTING_LABELS[name])

    @database_errors()
    def importance_chart(self) -> go.Figure:
        """Return Optuna's bars of the share of the variance in accuracy that each setting explains.

        They are by fANOVA (Hutter et al. 2014) and add up to 1. A `FerError` says why they cannot be computed.
        """
        finished = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(finished) < MIN_FOR_IMPORTANCE:
            raise FerError(
                f"Importances can be computed once {MIN_FOR_IMPORTANCE} trials have finished. So far: {len(finished)}"
            )
        if len({trial.value for trial in finished}) < 2:
            raise FerError("All finished trials reached the same accuracy, so no setting matters more.")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self.plan.seed)
        figure = _laid_out(visualization.plot_param_importances(self.study, evaluator=evaluator))
        names = [SETTING_LABELS[name] for name in figure.data[0].y]
        return figure.update_traces(y=names).update_layout(
            xaxis={"title": "Share of the variance", "range": [0, 1.2]}, yaxis_title=None
        )

    def best_plan(self) -> RunPlan:
        """Return the plan of a full training with the best trial's settings on all faces of the study's source."""
        values = self.plan.space.fixed | self.best().params
        spec, recipe = with_values(values, spec=self.plan.spec, recipe=self.plan.recipe)
        data = replace(self.plan.data, faces=None) if self.plan.data.source == "fer2013" else self.plan.data
        return RunPlan(f"{self.plan.spec.title}, best of {self.name}", spec, recipe=recipe, data=data)


def _laid_out(figure: go.Figure) -> go.Figure:
    return figure.update_layout(title=None, height=340, margin={"t": 16})


def _row(trial: FrozenTrial) -> dict[str, Any]:
    values = trial.intermediate_values
    accuracy = trial.value if trial.value is not None or not values else values[max(values)]
    return {
        "trial": trial.number + 1,
        "state": _state(trial),
        "accuracy": float("nan") if accuracy is None else accuracy,
        "epochs": len(values),
        "seconds": trial.duration.total_seconds() if trial.duration else float("nan"),
        **trial.params,
        "note": trial.user_attrs.get(NOTE, ""),
    }


def _state(trial: FrozenTrial) -> str:
    """Return a trial's state. A trial that failed without a note was cut off: its process ended before writing one."""
    silent = trial.state == TrialState.FAIL and NOTE not in trial.user_attrs
    return CUT_OFF if silent else STATES[trial.state]


def create_study(plan: TuningPlan, storage: optuna.storages.RDBStorage) -> TuningStudy:
    """Create a study, or open the existing study of that name if its plan is the same."""
    with database_errors():
        options = {"direction": "maximize", "load_if_exists": True, "pruner": _PRUNER}
        study = optuna.create_study(storage=storage, study_name=plan.name, **options)
        known = study.user_attrs.get(_PLAN)
        if known is None:
            study.set_user_attr(_PLAN, asdict(plan))
        elif TuningPlan.from_dict(known) != plan:
            raise FerError(
                f"There is a study named {plan.name} with other settings. Continue it by its name alone, or choose "
                "another name."
            )
    return TuningStudy(plan, study)


def open_study(name: str, storage: optuna.storages.RDBStorage) -> TuningStudy:
    """Return a study; trials that have sent no heartbeat for a while are marked as ended."""
    with database_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        names = study_names(storage)
        if name not in names:
            raise FerError(f"There is no study of that name. Existing: {', '.join(names) or 'none'}. Received: {name}")
        study = optuna.load_study(study_name=name, storage=storage, pruner=_PRUNER)
        plan = TuningPlan.from_dict(study.user_attrs.get(_PLAN, {}))
        optuna.storages.fail_stale_trials(study)
    return TuningStudy(plan, study)


def export_study(name: str, storage: optuna.storages.RDBStorage, *, path: Path) -> None:
    """Write a study to one file of JSON lines, Optuna's journal, which `read_study` reads."""
    with database_errors(), whole_file(path) as partial:
        optuna.copy_study(from_study_name=name, from_storage=storage, to_storage=_journal(partial))


def read_study(path: Path) -> TuningStudy:
    """Return the study in a file of `export_study`; a `FerError` if there is none."""
    try:
        study = optuna.load_study(study_name=None, storage=_journal(path))
    except (KeyError, ValueError, OSError) as error:
        raise FerError(f"{path.name} is not a file of `fer-lab tune --export` ({reason(error)}).") from error
    return TuningStudy(TuningPlan.from_dict(study.user_attrs.get(_PLAN, {})), study)


def _journal(path: Path) -> optuna.storages.JournalStorage:
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))


def study_names(storage: optuna.storages.RDBStorage) -> list[str]:
    """Return the names of FER Lab's studies in the storage, newest first."""
    with database_errors():
        newest_first = sorted(storage.get_all_studies(), reverse=True)
        return [study.study_name for study in newest_first if _PLAN in study.user_attrs]
