"""The contents of a report: every table that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fer_core import files
from fer_core.columns import TEST_SPLITS
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import history_table, load_predictions
from fer_core.measuring.robustness import robustness_table
from fer_core.measuring.scoreboard import front_models, scoreboard_table
from fer_core.metrics.calibration import calibration_table, reliability_table
from fer_core.metrics.confusion import confusion_cells
from fer_core.metrics.core import f1_table, measure_models
from fer_core.metrics.curves import curve_table, threshold_table
from fer_core.metrics.ensembles import fuse
from fer_core.metrics.paper import PAPER_VARIANTS, paper_contradictions, paper_f1, paper_overall, paper_recomputed
from fer_core.metrics.predictions import Predictions
from fer_core.metrics.significance import pair_table
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

THRESHOLDS = tuple(step / 20 for step in range(1, 20))

HALF_A_PIXEL = 0.5 / 500
"""By how much leaving out points may move a curve; the report's plots are 500 pixels wide."""


@dataclass(frozen=True, eq=False)
class Report:
    """A report about several models on one split.

    Attributes:
        answers: predictions of the models, and of the ensemble if there is one.
        tables: by name; those computed from predictions have the columns `split` and `view`.
        front: titles of the models that charts show at first; the others appear on a click in the legend.
        ensemble: the weights of the ensemble as text; empty without one.
        complaints: one sentence for each model or file that is left out.
    """

    answers: Predictions
    tables: dict[str, pd.DataFrame]
    front: list[str]
    ensemble: str
    complaints: list[str]

    @property
    def ranked(self) -> list[str]:
        """Titles of the compared models, the most accurate first."""
        return list(self.tables["scoreboard"]["model"])

    @property
    def titles(self) -> list[str]:
        """Titles of all models in some table, in the order of their colours in every chart."""
        compared = [self.answers.titles[name] for name in self.answers.names]
        return list(dict.fromkeys([*compared, *self.tables["robustness"]["model"], *self.tables["training"]["model"]]))


def build_report(
    models: Sequence[StoredModel], split: str, view: str, fusion: str | None = None, by: str = "label"
) -> Report:
    """Compute every table of the report.

    Args:
        models: of the store.
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".
        fusion: one of `metrics.ensembles.FUSIONS`, to add an ensemble of all models; None for no ensemble.
        by: what predictions are judged by, one of `columns.YARDSTICKS`; the paper's part stays with FER2013's label.

    Raises:
        FerError: no model has predictions of this split and view, or they cannot be combined.
    """
    answers, complaints = load_predictions(models, split, view, by)
    if answers is None:
        raise FerError(f"No model has usable predictions of {split} ({view}). {' '.join(complaints)}")
    other, _ = load_predictions(models, next(name for name in TEST_SPLITS if name != split), view, by)
    cards = {model.name: model.card for model in models}
    ensemble = ""
    if fusion is not None:
        try:
            holdout = {name: card.holdout_accuracy for name, card in cards.items()}
            fused = fuse(answers, answers.names, fusion=fusion, holdout=holdout, other=other)
            answers, ensemble = fused.predictions, fused.description
            if other is not None:
                other = fused.on(other)
        except ValueError as error:
            raise FerError(str(error)) from error
    measured = measure_models(answers)
    history, _, damaged = history_table(models, answers.titles)
    board = scoreboard_table(answers, measured, models)
    backbones = {name: card.spec.backbone if card.spec else None for name, card in cards.items()}
    front = front_models(board, backbones)
    tables = {
        "scoreboard": board,
        "class_f1": f1_table(answers, measured),
        "curves": curve_table(answers, HALF_A_PIXEL),
        "thresholds": pd.concat(
            [threshold_table(answers, name, at) for name in EXPRESSIONS for at in THRESHOLDS], ignore_index=True
        ),
        "reliability": reliability_table(answers),
        "calibration": calibration_table(answers, other),
        "pairs": pair_table(answers),
        "confusion": pd.concat(
            [confusion_cells(answers, name).assign(name=name, model=answers.titles[name]) for name in answers.names],
            ignore_index=True,
        ),
    }
    tables = {name: table.assign(split=split, view=view, by=by) for name, table in tables.items()}
    robustness, _, unusable = robustness_table(models, answers.titles, by)
    tables |= {"robustness": robustness, "training": history} | _paper(models, view)
    return Report(answers, tables, front, ensemble, complaints + damaged + unusable)


def write_csv(report: Report, folder: Path) -> list[Path]:
    """Write every table into a folder, which is created if it does not exist, and return the files.

    Raises:
        FerError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in report.tables.items():
            shown = table.drop(columns=[column for column in table if str(column).endswith("_interval")])
            files.write_csv(folder / f"{name}.csv", shown)
    except OSError as error:
        raise FerError(f"The tables cannot be written to {folder} ({error.strerror or error}).") from error
    return [folder / f"{name}.csv" for name in report.tables]


def _paper(models: Sequence[StoredModel], view: str) -> dict[str, pd.DataFrame]:
    public, _ = load_predictions(models, "PublicTest", view)
    measured = measure_models(public) if public is not None else {}
    f1 = [paper_f1(variant, measured).assign(variant=variant) for variant in PAPER_VARIANTS]
    return {
        "paper": paper_overall(public, measured),
        "paper_f1": pd.concat(f1, ignore_index=True),
        "paper_recomputed": paper_recomputed(),
        "paper_contradictions": paper_contradictions(),
    }
