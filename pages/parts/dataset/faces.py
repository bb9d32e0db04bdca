"""Which faces the Dataset page shows, FER2013's or the visitor's own; browse and count them, and see one as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final

import pandas as pd
import streamlit as st

from fer_core.data import SPLITS, FaceDataset
from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.figures.bars import class_distribution
from fer_core.figures.matrices import pixel_chart
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.face_table import MEASURES, face_table, filtered
from fer_core.runs.own_pictures import OwnFaces, read_own_faces, read_own_zip
from fer_core.store.folders import load_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError, Image
from pages.parts.charts import show_chart
from pages.parts.common import choose, path_on_this_computer, plain, whole_image_toggle, with_code
from pages.parts.data import classifier, computed, computed_here, fer2013, own_pictures
from pages.parts.finetune.data import ZIP_LAYOUT

OWN: Final = "My own pictures"

FOLDER_SECONDS: Final = 600  # after this time a folder is read again: its pictures may have changed
ON_A_PAGE: Final = 24
ANY: Final = "any"


@dataclass(frozen=True, eq=False)
class ShownFaces:
    """The faces on show: of FER2013, or the visitor's `own`."""

    dataset: FaceDataset
    fer2013: Fer2013Faces
    own: OwnFaces | None = None

    def name(self, place: int) -> str:
        """Return the name of a face: its row in FER2013, or its file."""
        return f"row {self.dataset.rows[place]}" if self.own is None else self.own.name(place)

    def picture(self, place: int) -> Image:
        """Return the picture that a face comes from: FER2013's face itself, or the visitor's picture."""
        return self.dataset.images[place] if self.own is None else self.own.picture(place)

    def table(self) -> pd.DataFrame:
        """Return the table of `face_table`, from the cache."""
        try:
            model = load_model()
        except FerError:
            model = None
        if self.own is None:
            return computed(face_table, self.dataset, model)
        return computed_here(_own_table, self.dataset, model)


def _own_table(dataset: FaceDataset, model: StoredModel | None) -> pd.DataFrame:
    try:
        known = None if model is None else classifier(model)
    except (FerError, OSError):
        known = None
    return face_table(dataset, classifier=known)


def choose_faces_shown() -> tuple[ShownFaces | None, bool]:
    """Ask which faces to show; return them, None if there are none yet, and whether FER2013 is chosen."""
    known = fer2013()
    if choose("Faces", ("FER2013", OWN), "d_of") == OWN:
        own = _own_pictures()
        return (ShownFaces(own.dataset, known, own) if own else None), False
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
    # Without a type filter, so that a wrong file gets a sentence that says what is wrong and what works.
    file = st.file_uploader("A zip with a folder of pictures for each expression: happy, sad …", key="d_zip")
    asked = "Or the path of such a folder on this computer"
    folder = path_on_this_computer(asked, "d_folder") if file is None else ""
    whole = whole_image_toggle("d_whole")
    if file is None and not folder:
        st.code(ZIP_LAYOUT, language=None)
        st.caption(
            "At least two expressions, with at least two pictures each. An uploaded zip is deleted when you close this "
            "page."
        )
        return None
    if file is not None:
        faces = own_pictures(read_own_zip, file, file.name, whole_image=whole)
    else:
        faces = own_pictures(_from_folder, folder, whole, int(time() // FOLDER_SECONDS))
    if isinstance(faces, str):
        st.warning(with_code(faces), icon=":material/warning:")
        return None
    if faces.skipped:
        with st.expander(f"{len(faces.skipped)} left out", icon=":material/visibility_off:"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in faces.skipped[:50]))
    if not len(faces.dataset):
        st.warning("No face was found in any of these pictures.", icon=":material/warning:")
        return None
    return faces


def _from_folder(folder: str, whole: bool, _: int) -> OwnFaces:
    return read_own_faces(Path(folder).expanduser(), whole_image=whole)


def face_tile(image: Image, name: str, *, label: str, about: list[str], width: Any = "stretch") -> None:
    """Show a face with its label, and below it lines about it and its name, which are plain text."""
    with st.container(gap=None):
        st.image(image, width=width, alt=f"Face of {plain(name)}, labelled {label}")
        st.markdown(f"**{label}**")
        st.caption("  \n".join(plain(line) for line in (*about, name)))


def classes(shown: ShownFaces) -> None:
    """Show the class distribution of each split, as in the paper's figure 1."""
    dataset = shown.dataset
    counts = dataset.counts()
    if shown.own:
        counts = counts.loc[["Training"]].rename(index={"Training": OWN})
    bars = choose("Bars", ("numbers", "shares"), "d_bars")
    totals = counts.sum()
    rare, frequent = str(totals.idxmin()), str(totals.idxmax())
    alt = f"Faces by expression and split; most for {frequent}, fewest for {rare}"
    show_chart(class_distribution(counts, shares=bars == "shares"), alt)
    splits = "" if shown.own else " PublicTest is the paper’s test split, PrivateTest the challenge’s."
    st.caption(
        f"{len(dataset):,} faces of 48 × 48 gray pixels. {totals.max():,} are {frequent}, {totals.min():,} {rare}. A "
        f"model that always answers {frequent} is right on {totals.max() / len(dataset):.0%} of them.{splits}"
    )
    counts = counts.assign(all=counts.sum(axis=1)).rename_axis("Split")
    st.dataframe(counts, alt="Number of faces by split and expression")


def browse(shown: ShownFaces) -> None:
    """Show faces that pass the chosen filters, page by page, and one of them closely."""
    table = shown.table()
    faces, ranges = _chosen(shown, table)
    words = [
        f" · {MEASURES[name].title} {low:g} to {high:g}"
        for name, (low, high) in ranges.items()
        if (low, high) != (MEASURES[name].low, MEASURES[name].high)
    ]
    st.markdown(f"**{len(faces):,} faces**{''.join(words)}")
    if faces.empty:
        st.caption("No face passes all of these filters.")
        return
    pages = -(-len(faces) // ON_A_PAGE)
    number = st.number_input("Page", 1, pages, 1, key="d_page", width=160) if pages > 1 else 1
    on_page = faces.iloc[(int(number) - 1) * ON_A_PAGE : int(number) * ON_A_PAGE]
    with st.grid("auto", min_column_width=108, gap="small"):
        for place, face in zip(on_page.index, on_page.itertuples(), strict=True):
            about = [] if shown.own else [_votes_in_words(face)]
            face_tile(shown.dataset.images[place], shown.name(place), label=str(face.label), about=about)
    st.header("One face closely")
    place = st.selectbox("Face", list(on_page.index), format_func=shown.name, key="d_row", width=280)
    _closely(shown, place, table.loc[place])


def _votes_in_words(face: Any) -> str:
    if pd.isna(face.agreement):
        return "no votes"
    return f"{face.said or 'no clear answer'}, {face.agreement:.0%} agree"


def _chosen(shown: ShownFaces, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Ask for filters and order, and return the rows that pass in this order, and the range of each measure."""
    columns = [name for name in MEASURES if table[name].notna().any()]
    split = said = ANY
    with st.container(horizontal=True):
        if not shown.own:
            splits = [split for split in SPLITS if (table["split"] == split).any()]
            split = st.selectbox("Split", [ANY, *splits], key="d_split", bind="query-params", width=160)
        label = st.selectbox("Label", [ANY, *EXPRESSIONS], key="d_label", bind="query-params", width=160)
        if not shown.own:
            said = st.selectbox("Annotators say", [ANY, *EXPRESSIONS], key="d_said", bind="query-params", width=160)
        titles = {"row": "file" if shown.own else "row"} | {name: MEASURES[name].title for name in columns}
        title = titles.__getitem__
        order = st.selectbox("Order by", titles, format_func=title, key="d_order", bind="query-params", width=220)
    with st.container(horizontal=True, vertical_alignment="center"):
        falling = st.toggle("Highest first", key="d_falling", bind="query-params")
        differing = not shown.own and st.toggle("Label and annotators differ", key="d_differing", bind="query-params")
        wrong = st.toggle("The default model is wrong", key="d_wrong", bind="query-params")
        copies = st.toggle("Picture occurs more than once", key="d_copies", bind="query-params")
    ranges: dict[str, tuple[float, float]] = {}
    with st.expander("More filters", icon=":material/tune:"), st.grid("auto", min_column_width=240, gap="medium"):
        for name in columns:
            measure = MEASURES[name]
            ranges[name] = st.slider(
                measure.title,
                measure.low,
                measure.high,
                (measure.low, measure.high),
                key=f"d_{name}",
                bind="query-params",
                format="percent" if isinstance(measure.high, float) else None,
                help=f"{measure.help} A slider at its end includes everything beyond it.",
            )
    unknown = int(table["roll"].isna().sum())
    st.caption(f"{unknown:,} of {len(table):,} faces have no head roll: no face or no eyes are detected in them.")
    split, label, said = ("" if value == ANY else str(value) for value in (split, label, said))
    faces = filtered(table, split, label, said, differing, wrong, copies, ranges)
    return faces.sort_values(order, ascending=not falling, kind="stable"), ranges


def _closely(shown: ShownFaces, place: int, face: pd.Series) -> None:
    name = plain(shown.name(place))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**The numbers of {name}**: black is 0, white is 255")
        show_chart(pixel_chart(shown.dataset.images[place]), f"Pixels of {name}")
        st.caption("Drag over a part of the face to read its numbers. A double click shows the whole face again.")
    with right:
        votes = "" if shown.own else shown.fer2013.votes(int(face["row"]))
        st.markdown(f"**Labelled {face['label']}**" + (f"; ten annotators: {plain(votes)}" if votes else ""))
        if face["predicted"]:
            st.markdown(f"The default model predicts {face['predicted']}.")
        facts = {} if shown.own else {"Split": str(face["split"])}
        facts |= {
            "Mean gray": f"{face['brightness']:.0f}",
            "Standard deviation": f"{face['contrast']:.0f}",
            "Sharpness": f"{face['sharpness']:.0f}",
            "Head roll": "unknown" if pd.isna(face["roll"]) else f"{face['roll']:.0f}°",
            "Nearly the same picture elsewhere": "yes" if face["copy"] else "no",
        }
        st.table(pd.Series(facts, name=""), border="horizontal", alt=f"Facts about {name}")
