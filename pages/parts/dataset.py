"""What the Dataset page shows of FER2013 or of the visitor's own pictures: classes, faces, and their preparation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import time
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import counted
from fer_core.data import FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.faces import DEGRADATIONS, degrade, detection_stages, enlarged_pixels, preprocess_faces
from fer_core.figures.bars import class_distribution
from fer_core.files import usable_path
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import (
    MEASURES,
    face_table,
    facts_in_words,
    filtered,
    ranges_in_words,
    shuffled_places,
    votes_in_words,
)
from fer_core.models import model_spec, networks_by_input
from fer_core.models.backbones import BLUE_FIRST, input_picture, network_input
from fer_core.runs.own_pictures import OwnFaces, read_own_faces, read_own_zip
from fer_core.sections import answers as says
from fer_core.store.datasets import list_datasets
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.training.augmentation import AS_THE_ABSTRACT, AS_THE_PAPER, augmentation_in_words, augmented_copies
from fer_core.training.recipe import named_recipe
from fer_core.types import FerError
from pages.parts import common
from pages.parts.common import choose, plain, warn, whole_number, with_code
from pages.parts.data import classifier, computed, computed_here, fer2013, own_pictures
from pages.parts.face import Tile, face_tiles, fer2013_tile
from pages.parts.head import answer, finding

OWN: Final = "My own pictures"

FOLDER_SECONDS: Final = 600  # after this time a folder is read again: its pictures may have changed
ON_A_PAGE: Final = 24
PICTURES: Final = 6
COPIES: Final = 12
DRAWN_AT_ONCE: Final = 24  # faces whose copies are drawn together: starting Keras takes longer than drawing
ANY: Final = "any"


@dataclass(frozen=True, eq=False)
class ShownFaces:
    """The faces on show: of FER2013, of a data set with names of files, or the visitor's `own`."""

    dataset: FaceDataset
    faces: Fer2013Faces  # by their rows in FER2013, or by their places
    own: OwnFaces | None = None

    @property
    def is_fer2013(self) -> bool:
        """Whether the faces have rows and votes."""
        return not self.faces.files

    def row(self, place: int) -> int:
        """Return the number that a face has in `faces`."""
        return int(self.dataset.rows[place]) if self.is_fer2013 else place

    def name(self, place: int) -> str:
        """Return the name of a face: its row in FER2013, or its file."""
        return self.faces.name(self.row(place))

    def table(self) -> pd.DataFrame:
        """Return the table of `face_table`, from the cache."""
        try:
            model = load_model(classes=EXPRESSIONS)
        except FerError:
            model = None
        return (computed_here if self.own else computed)(face_table, self.dataset, model, classifier)


def choose_faces_shown() -> tuple[ShownFaces | None, bool]:
    """Ask which faces to show; return them, None if there are none yet, and whether FER2013 is chosen."""
    known = fer2013()
    added = {dataset.name: dataset for dataset in list_datasets(EXPRESSIONS)}
    of = choose("Faces", ("FER2013", *added, OWN), "d_of")
    if of == OWN:
        own = _own_pictures()
        return (ShownFaces(own.dataset, Fer2013Faces.of_files(own.dataset, own.names), own) if own else None), False
    if of in added:
        faces, files = added[of].load(), added[of].pictures()["file"].tolist()
        return ShownFaces(faces, Fer2013Faces.of_files(faces, files)), False
    if known.missing:
        st.info(
            "FER2013 is the dataset of a challenge in 2013: 35,887 faces from the web, 48 × 48 gray pixels, each with "
            f"one of seven expressions. {with_code(known.missing)} Or choose **{OWN}** above.",
            icon=":material/database:",
        )
    dataset = known.dataset
    return (None if known.missing or dataset is None else ShownFaces(dataset, known)), True


def _own_pictures() -> OwnFaces | None:
    """Ask for a zip or folder; show what is wrong with it, or what was left out."""
    words = "A zip with a folder of pictures for each expression: happy, sad …"
    file, folder, whole = common.file_or_path("d", words, path_label="Or the path of such a folder on this computer")
    if file is None and not folder:
        st.code(common.ZIP_LAYOUT, language=None)
        words = "At least two expressions, with at least two pictures each."
        st.caption(f"{words} An uploaded zip is deleted when you close this page.")
        return None
    try:
        if file is not None:
            faces = own_pictures(read_own_zip, file, file.name, whole_image=whole)
        else:
            faces = own_pictures(_from_folder, folder, whole, int(time() // FOLDER_SECONDS))
    except FerError as error:
        warn([str(error)])
        return None
    common.left_out(faces.skipped)
    if len(faces.dataset):
        return faces
    warn(["No face was found in any of these pictures."])
    return None


def _from_folder(folder: str, whole: bool, _: int) -> OwnFaces:
    return read_own_faces(usable_path(folder), whole_image=whole)


def classes(shown: ShownFaces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001 (as all)
    """Show the class distribution of each split, as in the paper's figure 1."""
    dataset = shown.dataset
    counts = dataset.counts()
    if shown.own:
        counts = counts.loc[["Training"]].rename(index={"Training": OWN})
    totals = counts.sum()
    rare, frequent = str(totals.idxmin()), str(totals.idxmax())
    alt = f"Faces by expression and split; most for {frequent}, fewest for {rare}"
    splits = "" if not shown.is_fer2013 else " PublicTest is the paper’s test split, PrivateTest the challenge’s."
    with top:
        caption = f"Click a bar to see its faces. {len(dataset):,} faces of 48 × 48 gray pixels.{splits}"
        settings: Any = {"key": "d_classes", "on_select": _open_class, "selection_mode": "points"}
        finding(says.classes(counts), class_distribution(counts), alt, caption, **settings)
    counts = counts.assign(all=counts.sum(axis=1)).rename_axis("Split")
    st.dataframe(counts, alt="Number of faces by split and expression")


def _open_class() -> None:
    state: Any = st.session_state
    if points := state["d_classes"].selection.points:
        state["d_section"], state["d_label"] = "Faces", str(points[0]["x"])
        st.query_params["d_label"] = state["d_label"]


def browse(shown: ShownFaces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show faces that pass the chosen filters, page by page."""
    table = shown.table()
    with drawer:
        faces, ranges = _chosen(shown, table)
    with top:
        answer(says.faces(len(faces), len(table), ranges_in_words(ranges)))
        tiles_place = st.container()
        pages = max(1, -(-len(faces) // ON_A_PAGE))
        number = st.number_input("Page", 1, pages, 1, key="d_page", width=160) if pages > 1 else 1
    if faces.empty:
        top.caption("No face passes all of these filters.")
        return
    on_page = faces.iloc[(int(number) - 1) * ON_A_PAGE : int(number) * ON_A_PAGE]
    tiles = [_tile(shown, place, face) for place, face in zip(on_page.index, on_page.itertuples(), strict=True)]
    with tiles_place:
        face_tiles(tiles, "dataset")


def _tile(shown: ShownFaces, place: int, face: Any) -> Tile | None:
    facts = {"Labelled": str(face.label)} | ({} if shown.own else {"Split": str(face.split)}) | facts_in_words(face)
    about = [votes_in_words(face)] if shown.is_fer2013 else []
    tile = fer2013_tile(shown.faces, shown.row(place), str(face.label), f"**{face.label}**", about)
    return tile and replace(tile, facts=facts)


def _chosen(shown: ShownFaces, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Ask for filters and order, and return the rows that pass in this order, and the range of each measure."""
    columns = [name for name in MEASURES if table[name].notna().any()]
    split = said = ANY
    with st.container(horizontal=True):
        if not shown.own:
            splits = [split for split in shown.dataset.splits if (table["split"] == split).any()]
            split = st.selectbox("Split", [ANY, *splits], key="d_split", bind="query-params", width=160)
        label = st.selectbox("Label", [ANY, *EXPRESSIONS], key="d_label", bind="query-params", width=160)
        if shown.is_fer2013:
            said = st.selectbox("Annotators say", [ANY, *EXPRESSIONS], key="d_said", bind="query-params", width=160)
        titles = {"row": "row" if shown.is_fer2013 else "file"} | {name: MEASURES[name].title for name in columns}
        title_of = titles.__getitem__
        order = st.selectbox("Order by", titles, format_func=title_of, key="d_order", bind="query-params", width=220)
    with st.container(horizontal=True, vertical_alignment="center"):
        falling = st.toggle("Highest first", key="d_falling", bind="query-params")
        words, differing = "Label and annotators differ", False
        if shown.is_fer2013:
            differing = st.toggle(words, key="d_differing", bind="query-params")
        wrong = st.toggle("The default model is wrong", key="d_wrong", bind="query-params")
        copies = st.toggle("Picture occurs more than once", key="d_copies", bind="query-params")
    ranges: dict[str, tuple[float, float]] = {}
    with st.expander("More filters", icon=":material/tune:"), st.grid("auto", min_column_width=240, gap="medium"):
        for name in columns:
            title, low, high, words = MEASURES[name]
            shape: Any = {"format": "percent"} if name == "agreement" else {}
            shape["help"] = f"{words} A slider at its end includes everything beyond it."
            ranges[name] = st.slider(title, low, high, (low, high), key=f"d_{name}", bind="query-params", **shape)
    unknown = int(table["roll"].isna().sum())
    st.caption(f"{unknown:,} of {len(table):,} faces have no head roll: no face or no eyes are detected in them.")
    split, label, said = ("" if value == ANY else str(value) for value in (split, label, said))
    faces = filtered(table, split, label, said, differing, wrong, copies, ranges)
    return faces.sort_values(order, ascending=not falling, kind="stable"), ranges


PREPARED: Final = {
    "As stored": "none",
    "Histogram equalized": "equalize",
    "CLAHE": "clahe",
    "Cropped to the detected face": "face",
    "The same with level eyes": "aligned",
}
"""Preprocessings of models, each with its caption."""


def _inputs(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show one face after each preprocessing, as the input of each kind of network, and degraded."""
    face = shown.dataset.images[places[number]]
    st.subheader(f"{plain(shown.name(places[number]))}: preprocessing")
    with st.grid("auto", min_column_width=130, gap="small"):
        for caption, preprocessing in PREPARED.items():
            st.image(preprocess_faces(face[None], preprocessing)[0], caption=caption, width="stretch", alt=caption)
    st.subheader("Input of each network")
    with st.grid("auto", min_column_width=150, gap="medium"):
        for title, name in networks_by_input().items():
            spec = model_spec(name)
            numbers = network_input(preprocess_faces(face[None], spec.preprocessing)[0], spec)
            height, width, channels = numbers.shape
            colours = "gray" if channels == 1 else "BGR" if spec.backbone in BLUE_FIRST else "RGB"
            with st.container(gap=None):
                st.image(input_picture(numbers, spec), width="stretch", alt=f"The face as {title} gets it")
                st.markdown(f"**{title}**")
                st.caption(f"{height} × {width} × {channels}, {colours}  \n{numbers.min():.3g} to {numbers.max():.3g}")
    st.caption(
        "Below each picture: its size, the order of its channels, and its lowest and highest number. Backbones expect "
        "colour, so all three channels hold the same gray face, enlarged where the backbone needs it and scaled as it "
        "was on ImageNet (EfficientNet scales by itself). Black is the lowest possible number, white the highest. "
        "VGG16, ResNet50 and DenseNet121 subtract another mean from each channel, which looks like a tint."
    )
    st.subheader("Degradations of medium strength")
    with st.grid("auto", min_column_width=110, gap="small"):
        for kind, of in DEGRADATIONS.items():
            st.image(degrade(face[None], kind, of.levels[2])[0], caption=of.title, width="stretch", alt=of.title)
    st.caption("Compare models measures every model on these.")


def _augmented(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show random copies of one face by the augmentation of the default model or by the paper's two."""
    default = named_recipe(model_spec(DEFAULT_MODEL)).augmentation
    assert default is not None
    recipes = {"Default model": default, "As in the paper": AS_THE_PAPER, "As in its abstract": AS_THE_ABSTRACT}
    name = choose("Augmentation", recipes, "d_augmentation")
    start = number // DRAWN_AT_ONCE * DRAWN_AT_ONCE
    group = tuple(places[start : start + DRAWN_AT_ONCE])
    asked = st.session_state.setdefault("d_drawn", set())  # for which faces the visitor wants copies
    key = (shown.dataset.fingerprint, group)
    if key not in asked:
        st.markdown("Copies are drawn by the layers that training uses. They need Keras, which starts slowly.")
        draw: Any = {"key": "d_draw", "type": common.emphasis(), "on_click": asked.add, "args": (key,)}
        st.button("Draw augmented copies", icon=":material/casino:", **draw)
        return
    try:
        with st.spinner("Starting Keras, about ten seconds …", show_time=True):
            keep = computed_here if shown.own else computed
            copies = keep(augmented_copies, shown.dataset.images[list(group)], tuple(recipes.values()), COPIES)
    except FerError as error:
        asked.discard(key)
        warn([str(error)])
        return
    face, image = plain(shown.name(places[number])), shown.dataset.images[places[number]]
    with st.grid("auto", min_column_width=120, gap="small"):
        st.image(image, caption="as stored", width="stretch", alt=f"Face of {face}")
        for count, copy in enumerate(copies[list(recipes).index(name)][number - start], 1):
            st.image(copy, caption=f"copy {count}", width="stretch", alt=f"Augmented copy {count} of {face}")
    st.caption(augmentation_in_words(recipes[name]))


def _detected(shown: ShownFaces, places: list[int], number: int) -> None:
    """Show several pictures with what is detected in them and what is cropped, side by side."""
    shown_places = places[number:][:PICTURES]
    without = 0
    for place in shown_places:
        with st.container(border=True):
            try:
                picture = shown.own.picture(place) if shown.own else shown.dataset.images[place]
                stages = detection_stages(picture)
            except FerError as error:
                warn([str(error)])
                continue
            name, count = plain(shown.name(place)), stages.faces
            st.markdown(f"**{name}**, {counted(count, 'face') if count else 'no faces'}")
            tiles = {"Before": stages.before, "Detected": stages.marked}
            if stages.upright is not None and stages.gray is not None:
                crop = (stages.gray if stages.before.ndim == 3 else stages.before)[None]
                tiles |= {"Upright": stages.upright, "Input": enlarged_pixels(stages.gray, 192)}
                for caption, kind in {"Closer": "face", "Aligned": "aligned"}.items():
                    tiles[caption] = enlarged_pixels(preprocess_faces(crop, kind)[0], 192)
            with st.grid(6, min_column_width=90, gap="small"):
                for caption, image in tiles.items():
                    st.image(image, caption=caption, width="stretch", alt=f"{caption}: {name}")
            without += count == 0
    st.markdown(f"**No face is detected in {without} of {len(shown_places)} pictures.**")
    st.caption(
        "Detected: the box and the five landmarks. Upright: the square around the largest face, rotated so that the "
        "eyes are level, framed like FER2013’s faces. Input: the same with 48 × 48 gray pixels, as models get it from "
        "a photo. Closer: cropped to the detected box without rotation, as in the paper’s figure 4. Aligned: the "
        "same, turned until the eyes are level."
    )
    common.note_detector()


STEPS: Final = {"What networks see": _inputs, "Augmentation": _augmented, "Face detection": _detected}


def preparation(shown: ShownFaces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show one step of the preparation for a face that the visitor chooses, and the faces after it."""
    with top:
        step = choose("Step", STEPS, "d_step")
    with drawer, st.container(horizontal=True):
        present = [name for name in EXPRESSIONS if shuffled_places(shown.dataset, name)]
        label = st.selectbox("Label", [ANY, *present], key="d_prepared", bind="query-params", width=160)
        places = shuffled_places(shown.dataset, "" if label == ANY else str(label))
        number = whole_number(f"Face (of {len(places):,}, in random order)", 1, len(places), 1, "d_face", width=280)
    with top:
        STEPS[step](shown, places, number - 1)
