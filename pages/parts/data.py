"""All cached access of the pages: models, FER2013, stored predictions, and what is computed from them.

One kind of key tells arguments apart, `KEYS`: what they hold. A model whose files change, or a dataset that is
installed later, is therefore read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial, wraps
from types import FunctionType
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer_core.classifier import Classifier
from fer_core.columns import TEST_SPLITS
from fer_core.data import FaceDataset, find_fer2013
from fer_core.data.fer2013 import Fer2013Faces, find_ferplus, load_fer2013_faces
from fer_core.faces import default_detector
from fer_core.files import stamp
from fer_core.measuring.own_data import is_measured
from fer_core.measuring.results import load_predictions
from fer_core.metrics.core import Measured, measure_models
from fer_core.metrics.ensembles import Ensemble
from fer_core.metrics.predictions import ENSEMBLE, Predictions
from fer_core.sections.results import Results, combined
from fer_core.store.datasets import OwnDataset, find_dataset
from fer_core.store.stored_model import StoredModel
from fer_core.threads import kept
from fer_core.tuning.plan import default_storage
from fer_core.types import FerError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Selection:
    """What the Compare page shows: models on some faces, and an ensemble of some of them."""

    models: tuple[StoredModel, ...]  # all stored ones
    split: str
    view: str
    by: str = "label"  # what predictions are judged by, one of `columns.YARDSTICKS`
    names: tuple[str, ...] = ()  # of the models to show; empty for all
    members: tuple[str, ...] = ()  # of the ensemble; fewer than two make none
    fusion: str = "mean"  # how they are combined
    exponent: float = 10

    @property
    def chosen(self) -> list[StoredModel]:
        """The models to show."""
        return [model for model in self.models if not self.names or model.name in self.names]


def _fer2013_files() -> tuple[tuple[int, ...], ...]:
    """Return the versions of the files of FER2013 and of FER+'s votes; an empty one for a file that is not here."""
    versions = []
    for find in (find_fer2013, find_ferplus):
        try:
            path = find()
            versions.append(stamp(path) if path else ())
        except (FerError, OSError):
            versions.append(())
    return tuple(versions)


def _own_files(split: str) -> object:
    """Return what differs once a data set of one's own, or a model measured on it, is another; nothing for FER2013."""
    if split in TEST_SPLITS:
        return ()
    dataset = find_dataset(split)
    return dataset.version, sorted(path.name for path in dataset.folder.glob("predictions/[!.]*"))


KEYS: Final[dict[Any, Callable[[Any], Any]]] = {
    FunctionType: lambda function: f"{function.__module__}.{function.__qualname__}",
    "functools._lru_cache_wrapper": lambda _: "",  # how a picture is read, which changes nothing
    StoredModel: lambda model: (model.name, model.title, str(model.folder), model.version),
    Selection: lambda selection: (*vars(selection).values(), _own_files(selection.split)),
    OwnDataset: lambda dataset: (dataset.name, dataset.version),
    FaceDataset: lambda dataset: (dataset.fingerprint, dataset.votes is not None),
    Fer2013Faces: lambda faces: (faces.dataset, faces.missing, faces.votes_missing),
    "fer_core.fairness.faces.AuditedFaces": lambda faces: faces.fingerprint,
    "fer_core.runs.data.DataSettings": lambda settings: (
        asdict(settings),
        _fer2013_files()
        if settings.source == "fer2013"
        else settings.source == "dataset" and _own_files(settings.path),
    ),
    "fer_core.runs.uploads.Collection": lambda collection: [
        (name, snapshot.png) for name in collection.counts() for snapshot in collection.snapshots(name)
    ],
    UploadedFile: lambda file: file.file_id,
    "fer_core.tuning.study.TuningStudy": lambda study: (default_storage(), study.name, study.ended()),
    "pages.parts.pictures.Picture": lambda one: (one.key, one.flip, one.whole_image, default_detector().note),
}
"""What tells the values of a type apart in every cache. Types are named where not every page needs their rooms."""


class Keep(Protocol):
    """Returns what a function returns, from a cache if it was called with such arguments before."""

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns."""


def _keep(name: str, cache: Any) -> Keep:
    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call.__qualname__ = name  # by which Streamlit tells caches apart
    return cast(Keep, cache(call))


computed = _keep("computed", st.cache_data(max_entries=80, show_spinner="Computing …", hash_funcs=KEYS))
"""For all sessions; each call gets its own copy."""

shared = _keep("shared", st.cache_resource(max_entries=80, show_spinner="Computing …", hash_funcs=KEYS))
"""For all sessions, which get the same object, so nobody may change it."""

computed_here = _keep(
    "computed_here", st.cache_data(max_entries=1000, show_spinner=False, scope="session", hash_funcs=KEYS)
)
"""For this session, as for its own pictures."""

held_here = _keep(
    "held_here", st.cache_resource(max_entries=20, show_spinner="Computing …", scope="session", hash_funcs=KEYS)
)
"""For things with large pictures: few are held, not copied, for this session."""

_few_held_here = _keep(
    "few_held_here",
    st.cache_resource(max_entries=3, show_spinner="Looking at every picture …", scope="session", hash_funcs=KEYS),
)


def kept_by(keep: Keep) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator for functions whose results are kept, for example by `computed_here`."""
    return lambda function: wraps(function)(partial(keep, function))


def own_pictures(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function makes of a visitor's file, such as the faces in many pictures; its `FerError` is kept."""
    found, error = _few_held_here(_tried, function, *args, **kwargs)
    if error:
        raise FerError(error)
    return cast(R, found)


def _tried(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, str]:
    try:
        return function(*args, **kwargs), ""
    except FerError as error:
        return None, str(error)


def classifier(model: StoredModel) -> Classifier:
    """Return the classifier of a model, opened once for all sessions; errors as of `StoredModel.classifier`."""
    return _classifier(model, model.version)


@kept(12)
def _classifier(model: StoredModel, version: tuple[int, ...]) -> Classifier:  # noqa: ARG001 (the key)
    return model.classifier()


def fer2013() -> Fer2013Faces:
    """Return FER2013's faces and FER+'s votes, or why they are missing, kept for ten minutes and by their files."""
    return _fer2013(_fer2013_files())


@st.cache_resource(max_entries=2, ttl="10m", show_spinner="Opening FER2013 …")
def _fer2013(files: object) -> Fer2013Faces:  # noqa: ARG001 (the key)
    return load_fer2013_faces()


def predictions(models: list[StoredModel], split: str, view: str, by: str) -> tuple[Predictions | None, list[str]]:
    """Return the stored predictions of models, None if no model has any, and a sentence for each model left out.

    On a data set of one's own, only models that were measured on it.
    """
    return _predictions(models, split, view, by, _own_files(split))


@st.cache_resource(max_entries=24, show_spinner="Reading stored predictions …", hash_funcs=KEYS)
def _predictions(
    models: list[StoredModel], split: str, view: str, by: str, own: object
) -> tuple[Predictions | None, list[str]]:
    if own:
        dataset = find_dataset(split)
        models = [model for model in models if not model.servable or is_measured(model, dataset, view)]
    return load_predictions(models, split, view, by)


def faces_of(split: str) -> Fer2013Faces:
    """Return the faces of FER2013, or those of a data set of one's own, by the rows that predictions have."""
    return fer2013() if split in TEST_SPLITS else find_dataset(split).tests_by_row()


def _answers(selection: Selection) -> Predictions | None:
    return predictions(list(selection.models), selection.split, selection.view, selection.by)[0]


@st.cache_resource(max_entries=20, show_spinner=False, hash_funcs=KEYS)
def results(selection: Selection) -> Results:
    """Return the results of the models on show, with the ensemble's. Some model must have predictions."""
    all_models = Selection(selection.models, selection.split, selection.view, selection.by)
    answers = _answers(selection)
    assert answers is not None
    other_split = next(split for split in TEST_SPLITS if split != selection.split)
    # for what must not be fitted on the split on show
    other = None if answers.own else _answers(replace(selection, split=other_split))
    how: Any = {"fusion": selection.fusion, "exponent": selection.exponent, "other": other}
    members = set(selection.members) & set(answers.names)
    ensemble = combined(answers, selection.members, selection.models, **how) if len(members) > 1 else None
    chosen = answers.only(selection.names)
    if isinstance(ensemble, Ensemble):
        fused = ensemble.predictions
        chosen = chosen.plus(ENSEMBLE, fused.titles[ENSEMBLE], fused.probabilities[ENSEMBLE])
        other = None if other is None else ensemble.on(other)

    def public() -> Results | None:
        judged = replace(all_models, split="PublicTest", by="label")
        predicted = _answers(judged)
        return None if predicted is None else Results(judged.models, predicted, measure=lambda: _measured(judged))

    def measure() -> Measured:
        with_ensemble = isinstance(ensemble, Ensemble)
        return _measured(all_models) | (_measured(replace(selection, names=())) if with_ensemble else {})

    return Results(
        selection.chosen,
        chosen,
        other=other,
        public=public,
        ensemble=ensemble,
        measure=measure,
        first_titles=tuple(answers.titles.values()),
        all_in_front=bool(selection.names),
    )


@st.cache_resource(max_entries=40, show_spinner="Measuring, with 1,000 resamples …", hash_funcs=KEYS)
def _measured(selection: Selection) -> Measured:
    """Return metrics and intervals of all models, or of the ensemble alone if the selection has one."""
    if selection.members:
        return measure_models(results(selection).answers.only([ENSEMBLE]))
    answers = _answers(selection)
    return {} if answers is None else measure_models(answers)
