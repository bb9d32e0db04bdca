"""`tune`: look for good settings with many short trainings."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.cli.output import AsJson, complain, fails_clearly, print_json, progress_bar, stdout
from fer_core.models import model_spec, network_names
from fer_core.runs.data import DataSettings
from fer_core.training.recipes import recipe_for
from fer_core.tuning.plan import TuningPlan
from fer_core.tuning.space import VARIABLE, SearchSpace
from fer_core.tuning.storage import STORAGE_VARIABLE, open_storage
from fer_core.types import FerError

_NETWORKS = network_names()
Span = tuple[float, float]


@fails_clearly
def tune(
    model: Annotated[str | None, typer.Argument(help=f"For a new study, one of: {', '.join(_NETWORKS)}.")] = None,
    study: Annotated[
        str | None, typer.Option(help="The study's name; an existing one goes on. Default: MODEL.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="How many it shall have in all.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Of a trial.")] = 6,
    faces: Annotated[int, typer.Option(help="Training faces of FER2013 for a trial.")] = 3000,
    balanced: Annotated[bool, typer.Option(help="The same number of each expression, as far as they go.")] = False,
    pictures: Annotated[str | None, typer.Option(help="Own pictures instead: a folder or zip of classes.")] = None,
    crops: Annotated[bool, typer.Option(help="The own pictures are face crops already.")] = False,
    vary: Annotated[
        list[str] | None, typer.Option(help=f"Repeat: some of {', '.join(VARIABLE)}. Default: all.")
    ] = None,
    learning_rate: Annotated[Span | None, typer.Option(help="Lowest and highest.")] = None,
    strength: Annotated[Span | None, typer.Option(help="Of augmentation, from 0 to 2.")] = None,
    label_smoothing: Annotated[Span | None, typer.Option(help="Lowest and highest.")] = None,
    open_layers: Annotated[list[int] | None, typer.Option(help="Repeat: last layers that train.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    storage: Annotated[
        str | None,
        typer.Option(envvar=STORAGE_VARIABLE, help="A database's address, for several machines to share a study."),
    ] = None,
    as_json: AsJson = False,
    submit: Annotated[bool, typer.Option(help="In the end, queue a full training with the best settings.")] = False,
) -> None:
    """Look for good settings: many short trainings, judged by the hold-out alone.

    Stop it whenever you like, the same command goes on; run it on several machines with one --storage, and they share
    the work.
    """
    place = open_storage(storage)
    from fer_core.tuning.study import create_study, open_study

    if model is None:
        if study is None:
            raise FerError(f"Name a model, or an existing --study. Models: {', '.join(_NETWORKS)}.")
        work = open_study(study, place)
    else:
        spec, data = model_spec(model), DataSettings("fer2013", faces, balanced)
        if pictures is not None:
            data = DataSettings("folder", path=pictures, whole_image=crops)
        recipe = recipe_for(spec)
        spans = {"learning_rate": learning_rate, "strength": strength, "label_smoothing": label_smoothing}
        given: dict[str, Any] = {name: span for name, span in spans.items() if span is not None}
        if open_layers:
            given["open_layers"] = tuple(open_layers)
        space = replace(SearchSpace.around(spec, recipe, vary or VARIABLE), **given)
        work = create_study(TuningPlan(study or model, spec, recipe, data, epochs, space, seed), place)
    try:
        with _stop_as_by_ctrl_c():
            _work(work, trials)
    except KeyboardInterrupt:
        complain(f"Stopped. The trials that have ended are kept; `tune --study {work.name}` goes on.")
    run = None
    if submit:
        from fer_core.runs import queue

        run = queue.submit(work.best_plan()).id
    _show(work, run, as_json)


@contextmanager
def _stop_as_by_ctrl_c() -> Iterator[None]:
    """Let the signal that ends a process end the trial at hand first, as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _work(study: Any, trials: int) -> None:
    with progress_bar() as bar:
        task = bar.add_task(study.name, total=trials, completed=study.ended())
        bar.log("Starting Keras …")
        from fer_core.tuning.tune import tune as run

        def say(text: str) -> None:
            bar.log(text)
            bar.update(task, completed=study.ended())

        def watch(trial: int, epoch: int, accuracy: float) -> None:
            bar.update(task, description=f"Trial {trial}, epoch {epoch}/{study.plan.epochs}: {accuracy:.3f}")

        run(study, trials, say=say, watch=watch)


def _show(study: Any, run: str | None, as_json: bool) -> None:
    rows = study.trials()
    if as_json:
        filled = rows.astype(object).where(rows.notna(), None)
        print_json({"study": study.name, "run": run, "trials": filled.to_dict("records")})
        return
    shown = rows.dropna(subset=["accuracy"]).sort_values("accuracy", ascending=False).head(5)
    table = Table("Trial", "State", "Hold-out accuracy", *study.plan.space.varied)
    for row in shown.to_dict("records"):
        values = [row[name] for name in study.plan.space.varied]
        words = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(str(row["trial"]), row["state"], f"{row['accuracy']:.3f}", *words)
    stdout.print(table)
    if run is not None:
        stdout.print(f"In the queue: {run}")
