"""The parts of a new run: the faces to train on, among them snapshots of one's own face, the network and its fit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.figures.bars import class_counts
from fer_core.labels import EXPRESSIONS
from fer_core.models import ModelSpec, model_spec, network_names
from fer_core.models.spec import ALL_LAYERS, BATCH_NORMS, PREPROCESSINGS, WEIGHTS
from fer_core.runs.data import DataSettings, LoadedData, load_training_data
from fer_core.runs.run import KEPT_DAYS
from fer_core.runs.uploads import Collection, keep_upload, list_collections
from fer_core.runs.visits import AWAY_MINUTES
from fer_core.store.datasets import list_datasets
from fer_core.store.folders import DEFAULT_MODEL, list_models
from fer_core.training.augmentation import AUGMENTATIONS, augmentation_named
from fer_core.training.initial_weights import weight_sources
from fer_core.training.recipe import (
    CLASS_WEIGHTS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    Recipe,
    fine_tuning_recipe,
    papers_recipe,
    recipe_summary,
)
from fer_core.types import FerError
from fer_core.visitors import limits
from pages.parts import common
from pages.parts.charts import show_chart
from pages.parts.common import attempt, choose, plain, warn, with_code
from pages.parts.data import computed, computed_here, own_pictures
from pages.parts.notice import SNAPSHOTS, all_agree
from pages.parts.pictures import forget, picture_megabytes

DEFAULT_COLLECTION: Final = "mine"
DEFAULT_NETWORK: Final = "compact_cnn"  # it can continue the default model's training, which needs no download
AUTO: Final = "auto"  # leaves a setting to the network's recipe
SIZES: Final = {"500": 500, "1000": 1000, "2000": 2000, "5000": 5000, "10000": 10_000, "all": None}
RATES: Final = (0.00003, 0.0001, 0.0003, 0.001, 0.002, 0.003, 0.01, 0.03, 0.1, 0.3)
OPEN_LAYERS: Final = {"none": 0, "2": 2, "6": 6, "12": 12, "24": 24, "all": ALL_LAYERS}
THUMBNAILS, THUMBNAILS_HEIGHT = 24, 126  # faces of each expression, and pixels of all rows, which are scrolled

KEPT: Final = f"They stay on FER Lab’s computer for {KEPT_DAYS} days, or as long as there is a run that uses them."
SHARED: Final = (
    f"They are deleted {AWAY_MINUTES} minutes after you close this page, or when a training that uses them has ended. "
    "No other visitor can see them."
)
"""How long pictures in a zip are kept, and on a shared server."""

PICTURES_TAKEN, REJECTED, ZIP = "f_shot", "f_troubles", "f_zip_kept"
"""Keys of the session state: how many pictures were taken, what was wrong with the last ones, and the name and path of
the session's zip, which stays selected while another part of the page is open."""

SelectedData: TypeAlias = tuple[DataSettings | None, int, str]
"""The data of a new run: what to learn from, the number of training faces, a short title."""
NOTHING: Final[SelectedData] = (None, 0, "")


def select_data() -> SelectedData:
    """Ask what to train on and show the number of faces."""
    sources = {"FER2013 subset": _fer2013, "Own pictures": _own_pictures, "Own snapshots": _own_snapshots}
    if datasets := [dataset.name for dataset in list_datasets()]:
        sources["Own data set"] = partial(_own_dataset, datasets)
    source = st.selectbox("Learn from", sources, key="f_source", bind="query-params")
    try:
        return sources[str(source)]()
    except FerError as error:
        warn([str(error)])
        return NOTHING


def _fer2013() -> SelectedData:
    if not common.offer_fer2013():
        return NOTHING
    size = st.select_slider("Faces to train on", list(SIZES), "2000", key="f_faces", bind="query-params")
    help_text = "As far as possible: FER2013 has 16 times as many happy faces as disgusted ones."
    words = "The same number of each expression"
    balanced = st.toggle(words, key="f_balanced", bind="query-params", help=help_text)
    help_text = "Learn from all of Training, validate on PrivateTest, and test on PublicTest, as the paper does."
    papers = st.toggle("The paper’s split", key="f_split", bind="query-params", help=help_text)
    source = DataSettings(faces=SIZES[str(size)], balanced=balanced, papers_split=papers)
    faces = _show_counts(computed(_counts, source), "PrivateTest" if papers else "fixed faces of Training")
    return source, faces, f"{faces:,} faces{', balanced' * balanced}{', the paper’s split' * papers}"


def _counts(source: DataSettings) -> pd.DataFrame:
    return load_training_data(source).counts


def _own_pictures() -> SelectedData:
    label = "A zip with a folder of pictures for each expression, or for each class of your own"
    file = st.file_uploader(label, key="f_zip", on_change=st.session_state.pop, args=(ZIP, None))
    whole = common.whole_image_toggle("f_whole")
    try:
        if file is not None:
            st.session_state[ZIP] = (file.name, computed_here(_kept_upload, file))
        if ZIP not in st.session_state:
            st.code(common.ZIP_LAYOUT, language=None)
            words = "Two to ten expressions or classes of your own, with at least two pictures each."
            st.caption(f"{words} {SHARED if limits() else KEPT}")
            return NOTHING
        name, path = st.session_state[ZIP]
        source = DataSettings("folder", path=path, whole_image=whole)
        loaded = own_pictures(load_training_data, source)
    except FerError:
        st.session_state.pop(ZIP, None)
        raise
    faces = _show_own(loaded, name)
    common.left_out(loaded.skipped)
    return source, faces, name.removesuffix(".zip")


def _kept_upload(file: Any) -> str:
    return keep_upload(file.name, file.getvalue())


def _own_dataset(names: list[str]) -> SelectedData:
    name = str(st.selectbox("Data set", names, key="f_dataset", bind="query-params"))
    source = DataSettings("dataset", path=name)
    return source, _show_own(own_pictures(load_training_data, source), name), name


def _show_own(loaded: LoadedData, name: str) -> int:
    """Show the number of own faces and what may be wrong with them; return the number of training faces."""
    faces = _show_counts(loaded.counts, f"other pictures of {plain(name)}")
    warn(list(loaded.warnings), "Before you train:")
    return faces


def _show_counts(counts: pd.DataFrame, holdout: str) -> int:
    """Draw the number of faces of each expression; return the number of training faces."""
    training = counts.iloc[:, 0]
    words = ", ".join(f"{name} {count:,}" for name, count in training.items())
    show_chart(class_counts(counts), alt=f"Faces to train on: {words}", key="f_counts")
    st.caption(f"Solid: training faces. Pale: the hold-out, {holdout}, which shows how well the model does on others.")
    return int(training.sum())


def _own_snapshots() -> SelectedData:
    """Ask for pictures of one expression at a time, and show the collection; `FerError`: a name cannot be used."""
    # The default one first: the others may be somebody else's.
    collections = [DEFAULT_COLLECTION, *(name for name in list_collections() if name != DEFAULT_COLLECTION)]
    new: Any = {"accept_new_options": True, "bind": "query-params"}
    with st.grid(2, min_column_width=120, gap="small"):
        words = "One for each person or idea. Type a new name to start another."
        name = st.selectbox("Collection", collections, key="f_collection", help=words, **new)
        collection = Collection(name or DEFAULT_COLLECTION)
        names, first = list(collection.counts()), EXPRESSIONS.index("happy")
        words = "Or type a class of your own. If any is not one of the seven, the model has your classes only."
        expression = st.selectbox("Expression to show", names, first, key="f_class", help=words, **new) or "happy"
    collection.snapshots(expression)  # a `FerError` for a class that cannot have this name
    taking, about, faces = st.container(), st.container(), st.container(height=THUMBNAILS_HEIGHT, border=False)
    note = st.container()  # last, so that all that one needs again and again is in view
    with taking:
        _picture_input(collection, expression, note)
        warn(st.session_state.pop(REJECTED, []), "Some pictures were not kept:")
    with faces:
        _thumbnails(collection, expression, removable=True)
        for other, count in collection.counts().items():
            if count and other != expression:
                _thumbnails(collection, other)
    with about:
        if collection.missing:
            st.caption(f":material/info: {with_code(collection.missing)}")
            return NOTHING
        loaded = own_pictures(_snapshots, collection)
        training, holdout = (int(count) for count in loaded.counts.sum())
        st.caption(f"{training} to learn from, and {holdout} held out, to see how well the model does on others.")
        warn(list(loaded.warnings), "Before you train:")
    return collection.settings(), training, "own snapshots"


def _snapshots(collection: Collection) -> LoadedData:
    return load_training_data(collection.settings())


def _picture_input(collection: Collection, expression: str, note: DeltaGenerator) -> None:
    """Show the camera or the file uploader; it gets a new key after each use, so that it is empty again."""
    source = choose("Take them with", ("Camera", "Upload"), "f_by", label_visibility="collapsed")
    key = f"f_picture_{source}_{st.session_state.setdefault(PICTURES_TAKEN, 0)}"

    def add() -> None:
        held, rejected, given = st.session_state[key], [], limits()
        files = held if isinstance(held, list) else [held] if held else []
        if given and len(files) > given.pictures:
            rejected.append(f"This server takes at most {given.pictures} pictures at a time. Received: {len(files)}")
            files = files[: given.pictures]
        for file in files:
            try:
                collection.add(file.getvalue(), expression)
            except FerError as error:
                rejected.append(f"{file.name}: {error}" if len(files) > 1 else str(error))
        forget(files)
        st.session_state[REJECTED] = rejected
        st.session_state[PICTURES_TAKEN] += 1

    if source == "Upload":
        settings: Any = {"accept_multiple_files": True, "max_upload_size": picture_megabytes()}
        st.file_uploader(f"Pictures that show {plain(expression)}", key=key, on_change=add, **settings)
    elif all_agree(SNAPSHOTS, note=note):
        words = f"Look {plain(expression)}, also with other light and angles"
        st.camera_input(words, key=key, on_change=add, width=280)


def _thumbnails(collection: Collection, expression: str, removable: bool = False) -> None:
    """Show the faces of one expression, with buttons to remove them if `removable`."""
    kept = collection.snapshots(expression)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(expression)}: {len(kept)}**", width="content")
        if removable and kept:
            with st.popover("Delete", icon=":material/delete:", type="tertiary"):
                label, clear = f"Delete all {len(kept)} of {plain(expression)}", partial(collection.clear, expression)
                st.button(label, "f_clear", on_click=attempt, args=(clear,))
                st.button("Delete the whole collection", "f_clear_all", on_click=attempt, args=(collection.clear,))
    with st.grid("auto", min_column_width=56, gap="xsmall"):
        for snapshot in kept[-THUMBNAILS:]:
            number = snapshot.number
            with st.container(gap=None, horizontal_alignment="center"):
                st.image(snapshot.png, width=48, alt=f"Snapshot {number} of {expression}")
                if removable:
                    look: Any = {"icon": ":material/close:", "type": "tertiary", "help": f"Remove snapshot {number}"}
                    remove = partial(collection.remove, expression, number)
                    st.button("", f"f_remove_{expression}_{number}", on_click=attempt, args=(remove,), **look)
    if len(kept) > THUMBNAILS:
        st.caption(f"The last {THUMBNAILS} of {len(kept)}.")


def select_network() -> ModelSpec:
    """Ask for the network and its initial weights."""
    networks = {name: model_spec(name).title for name in network_names()}
    titles = common.model_titles(list_models()[0]) | WEIGHTS
    first = list(networks).index(DEFAULT_NETWORK)
    name = st.selectbox("Network", networks, first, networks.__getitem__, key="f_variant", bind="query-params")
    spec = model_spec(str(name))
    sources, notes = weight_sources(spec)
    words = (
        "ImageNet: a backbone trained on photographs. UTKFace: one trained on ages and genders of faces. "
        "VGGFace2: one trained to tell faces apart. faces: one taught by that of VGGFace2. A model: continue its "
        "training."
    )
    start = sources.index(DEFAULT_MODEL) if DEFAULT_MODEL in sources else 0
    settings: Any = {"format_func": lambda source: titles.get(source, source), "bind": "query-params"}
    settings["help"] = "\n\n".join([words, *map(plain, notes)])
    source = st.selectbox("Start from", sources, start, key="f_start", **settings)
    return replace(spec, weights_from=str(source))


def select_recipe(spec: ModelSpec, faces: int) -> tuple[ModelSpec, Recipe]:
    """Ask how the network is changed and fitted. Settings left on `auto` follow its recipe.

    Raises:
        FerError: the settings contradict each other.
    """
    epochs = st.slider("Epochs", 1, 100, 15, key="f_epochs", bind="query-params")
    more = st.expander("More settings", icon=":material/tune:")
    with more, st.grid(2, min_column_width=120):
        spec = _changed_network(spec)
        patience = "Stop when the hold-out loss has not fallen for this many epochs, and keep the best epoch. 0: never."
        weights = "balanced: each expression has the same weight in the loss, however rare it is."
        papers = "paper: Adam at a constant rate with early stopping; no label smoothing, averaged weights or bfloat16."
        settings = _settings(
            peak_learning_rate=("Learning rate", RATES, "f_rate"),
            augmentation=("Augmentation", AUGMENTATIONS, "f_augment", "How much each face is varied."),
            recipe=("Recipe", ("paper",), "f_recipe", papers),
            schedule=("Schedule", SCHEDULES, "f_schedule"),
            optimizer=("Optimizer", OPTIMIZERS, "f_optimizer"),
            batch_size=("Batch size", (8, 16, 32, 64, 128, 256), "f_batch"),
            label_smoothing=("Label smoothing", (0.0, 0.05, 0.1, 0.2), "f_smoothing"),
            early_stopping=("Early stopping", (0, 3, 5, 8), "f_patience", patience),
            class_weights=("Class weights", CLASS_WEIGHTS, "f_weights", weights),
            loss=("Loss", LOSSES, "f_loss", "focal: faces that are already correct count less."),
        )
        settings["seed"] = common.whole_number("Seed", 0, 9999, 0, "f_seed")
    if "augmentation" in settings:
        settings["augmentation"] = augmentation_named(str(settings["augmentation"]), spec)
    if settings.get("early_stopping"):
        settings["ema"] = 0.0
    recipe = fine_tuning_recipe(spec, faces, epochs)
    if settings.pop("recipe", None):
        recipe = replace(papers_recipe(spec), epochs=epochs, batch_size=recipe.batch_size)
    recipe = replace(recipe, **settings)
    more.caption(plain(recipe_summary(spec, recipe)))
    return spec, recipe


def _changed_network(spec: ModelSpec) -> ModelSpec:
    """Ask how a named network is changed; a changed one gets a name of its own."""
    settings: dict[str, Any] = {}
    if spec.architecture == "transfer":
        words = (
            "How many of the backbone's last layers with weights are trained, besides the head and without batch norm."
        )
        places = "On the pooled features, or on the input, before or after the noise is added there."
        shades = "On the input, as a share of the gray range."
        settings = _settings(
            open_layers=("Open layers", tuple(OPEN_LAYERS), "f_open", words),
            noise=("Noise", (0.0, 0.02, 0.05, 0.1), "f_noise", shades),
            batch_normalization=("Batch norm", BATCH_NORMS, "f_norm", places),
        )
        if "open_layers" in settings:
            settings["open_layers"] = OPEN_LAYERS[str(settings["open_layers"])]
    settings |= _settings(
        preprocessing=("Preprocessing", PREPROCESSINGS, "f_prepare"),
        dropout=("Dropout", (0.0, 0.2, 0.3, 0.5), "f_dropout"),
    )
    changed = replace(spec, **settings)
    if changed == spec:
        return spec
    stem = spec.backbone.lower() or spec.architecture
    return replace(changed, name=f"{stem}_own", title=f"{spec.backbone or spec.title}, own settings")


def _settings(**questions: tuple[Any, ...]) -> dict[str, Any]:
    """Ask for settings, each by its label, options, key and help; return those that are not left to the recipe."""
    answers = {}
    for name, (label, options, key, *words) in questions.items():
        answers[name] = st.selectbox(label, [AUTO, *options], key=key, bind="query-params", help="".join(words) or None)
    return {name: answer for name, answer in answers.items() if answer != AUTO}
