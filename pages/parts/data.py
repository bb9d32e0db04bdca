"""All cached access of the pages: models, FER2013, stored predictions, and what is computed from them.

One kind of key tells arguments apart, `KEYS`: what they hold. A model whose files change, or a dataset that is
installed later, is therefore read again, and no function here takes a time or a version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import FunctionType
from typing import Any, Final, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer_core.classifier import Classifier
from fer_core.data import FaceDataset, find_fer2013
from fer_core.data.fer2013 import Fer2013Faces, find_ferplus, load_fer2013_faces
from fer_core.faces import default_detector
from fer_core.files import stamp
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics.core import Measured, measure_models
from fer_core.metrics.predictions import ENSEMBLE, Predictions
from fer_core.sections.results import Results
from fer_core.store.stored_model import StoredModel
from fer_core.threads import kept
from fer_core.tuning.plan import default_storage
from fer_core.types import FerError
from pages.parts.compare.results import Selection, results_of

P = ParamSpec("P")
R = TypeVar("R")


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


def _snapshots(collection: Any) -> list[bytes]:
    return [one.png for expression in EXPRESSIONS for one in collection.snapshots(expression)]


KEYS: Final[dict[Any, Callable[[Any], Any]]] = {
    FunctionType: lambda function: f"{function.__module__}.{function.__qualname__}",
    "functools._lru_cache_wrapper": lambda _: "",  # how a picture is read, which changes nothing
    StoredModel: lambda model: (model.name, model.title, str(model.folder), model.version),
    Selection: lambda one: (one.models, one.split, one.view, one.by, one.names, one.members, one.fusion, one.exponent),
    FaceDataset: lambda dataset: (dataset.fingerprint, dataset.votes is not None),
    Fer2013Faces: lambda faces: (faces.dataset, faces.missing, faces.votes_missing),
    "fer_core.audit.faces.AuditedFaces": lambda faces: faces.fingerprint,
    "fer_core.runs.data.DataSettings": lambda settings: (
        asdict(settings),
        settings.source == "fer2013" and _fer2013_files(),
    ),
    "fer_core.runs.uploads.Collection": _snapshots,
    UploadedFile: lambda file: file.file_id,
    "fer_core.tuning.study.TuningStudy": lambda study: (default_storage(), study.name, study.ended()),
    "pages.parts.pictures.Picture": lambda one: (one.key, one.flip, one.whole_image, default_detector().note),
}
"""What tells the values of a type apart in every cache. Types are named where not every page needs their rooms."""


def classifier(model: StoredModel) -> Classifier:
    """Return the classifier of a model, which is opened once for all sessions.

    Raises:
        FerError: as of `StoredModel.classifier`.
    """
    return _classifier(model, model.version)


@kept(12)
def _classifier(model: StoredModel, version: tuple[int, ...]) -> Classifier:  # noqa: ARG001 (the key)
    return model.classifier()


def fer2013() -> Fer2013Faces:
    """Return FER2013's faces and FER+'s votes, or why they are missing; loaded once while the files are unchanged."""
    return _fer2013(_fer2013_files())


@st.cache_resource(max_entries=2, ttl="10m", show_spinner="Opening FER2013 …")
def _fer2013(files: object) -> Fer2013Faces:  # noqa: ARG001 (the key)
    return load_fer2013_faces()


@st.cache_resource(max_entries=24, show_spinner="Reading stored predictions …", hash_funcs=KEYS)
def predictions(models: list[StoredModel], split: str, view: str, by: str) -> tuple[Predictions | None, list[str]]:
    """Return the stored predictions of models, None if no model has any, and a sentence for each model left out."""
    return load_predictions(models, split, view, by)


def results(selection: Selection) -> Results:
    """Return what the Compare page shows of a selection."""
    return _results(selection)


@st.cache_resource(max_entries=20, show_spinner=False, hash_funcs=KEYS)
def _results(selection: Selection) -> Results:
    return results_of(selection, predictions, measure=_measured)


@st.cache_resource(max_entries=40, show_spinner="Measuring, with 1,000 resamples …", hash_funcs=KEYS)
def _measured(selection: Selection) -> Measured:
    """Return metrics and intervals of all models, or of the ensemble alone if the selection has one."""
    if selection.members:
        return measure_models(_results(selection).answers.only([ENSEMBLE]))
    answers, _ = predictions(list(selection.models), selection.split, selection.view, selection.by)
    return {} if answers is None else measure_models(answers)


def computed(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function returns, computed once for all sessions; each call gets its own copy."""
    return _computed(function, args, kwargs)


@st.cache_data(max_entries=80, show_spinner="Computing …", hash_funcs=KEYS)
def _computed(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


def shared(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function returns, computed once and shared by all sessions, so nobody may change it."""
    return _shared(function, args, kwargs)


@st.cache_resource(max_entries=80, show_spinner="Computing …", hash_funcs=KEYS)
def _shared(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


def computed_here(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function returns, computed once for this session, as for its own pictures."""
    return _computed_here(function, args, kwargs)


@st.cache_data(max_entries=1000, show_spinner=False, scope="session", hash_funcs=KEYS)
def _computed_here(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


def held_here(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function returns, for things with large pictures: few are held, not copied, for this session."""
    return _held_here(function, args, kwargs)


@st.cache_resource(max_entries=20, show_spinner="Computing …", scope="session", hash_funcs=KEYS)
def _held_here(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


def own_pictures(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | str:
    """Return the faces that a function finds in a visitor's many pictures, held for this session.

    Returns:
        What the function returns, or the message of its `FerError`.
    """
    return _own_pictures(function, args, kwargs)


@st.cache_resource(max_entries=3, show_spinner="Looking at every picture …", scope="session", hash_funcs=KEYS)
def _own_pictures(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except FerError as error:
        return str(error)
