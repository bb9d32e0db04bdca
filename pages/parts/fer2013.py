"""What the Dataset page shows of FER2013 alone: votes, hardest faces, copies and published results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.columns import TEST_SPLITS, counted, percent
from fer_core.data import SPLITS, FaceDataset
from fer_core.data.fer2013 import Fer2013Faces
from fer_core.data.near_duplicates import LEAST
from fer_core.figures.matrices import confusion_chart
from fer_core.labels import EXPRESSIONS
from fer_core.metrics import label_truth
from fer_core.metrics.confusion import HARDEST, hardest_faces, label_cells
from fer_core.metrics.paper import IN_PACKAGES_ARE, packages_table, published_table
from fer_core.sections import answers as says
from fer_core.store.folders import list_models
from pages.parts import common
from pages.parts.common import choose, note_utkface, plain, show_table, with_code
from pages.parts.confusion import show_faces
from pages.parts.data import faces_of, predictions
from pages.parts.face import Tile, face_tiles, fer2013_tile
from pages.parts.head import answer, finding

MOST_SHOWN: Final = 24
PAIRS_SHOWN: Final = 12


def labels(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show where annotators and labels differ, and the faces on which they do."""
    dataset = faces.dataset
    if dataset is None:
        return
    if dataset.votes is None:
        st.info(with_code(faces.votes_missing), icon=":material/info:")
        return
    with drawer, st.container(horizontal=True):
        split = choose("Faces", ["All", *SPLITS], "d_truth")
    if split != "All":
        dataset = dataset.split(split)
    assert dataset.votes is not None
    cells = label_cells(dataset.labels, dataset.plurality)
    table = label_truth.agreement_by_label(dataset.labels, dataset.votes)
    everyone = table.iloc[-1]
    same, low, high = (percent(everyone[name], ".1%") for name in ("same", "low", "high"))
    with top:
        finding(
            says.labels(cells),
            confusion_chart(cells, "rates", titles=("FER2013’s label", "Most annotators")),
            f"FER2013’s label against what most annotators say; the same on {same}",
            f"On {percent(everyone['clear'])} of these faces most annotators give one of the seven answers; the others "
            f"do not count (95 % interval {low} to {high}). A perfect reader of the majority has this accuracy by "
            "FER2013’s label.",
        )
    show_table(table, "Agreement of the annotators by label", label_truth.AGREEMENT_COLUMNS)
    st.caption(
        "Annotators: FER+ (Barsoum et al. 2016), ten people per face, who could also answer contempt, unknown or not a "
        "face. Entropy is 0 if all ten say the same, and 1 if they are divided equally between two answers."
    )
    st.header("Contested faces")
    order = choose("Show faces where", label_truth.ORDERS, "d_contested", format_func=label_truth.ORDERS.__getitem__)
    places = label_truth.contested_faces(dataset, order)
    clearest = f"**{len(places):,} faces**, the clearest cases first"
    st.markdown("**Most divided first**" if order == "divided" else clearest)
    face_tiles([_tile(faces, dataset, place, faces.votes) for place in places[:MOST_SHOWN]], "contested")


def _tile(
    faces: Fer2013Faces, dataset: FaceDataset, place: int, about: Callable[[int], str] = lambda _: ""
) -> Tile | None:
    row, label = int(dataset.rows[place]), EXPRESSIONS[dataset.labels[place]]
    return fer2013_tile(faces, row, label, f"**{label}**", [about(row) or str(dataset.usage[place])])


def published(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001 (as all)
    """Show published accuracies beside what others could reproduce."""
    top.markdown(
        "Accuracies on PrivateTest by FER2013’s label, as their authors report them. Networks are tuned, sometimes on "
        "the test split, and reported by those who built them, so reproductions are often lower."
    )
    top.table(published_table().set_index("Method"), border="horizontal", alt="Published accuracies on FER2013")
    st.caption("Reported by others, not measured here. What is measured here stands under Compare models.")
    st.header("Models in packages, measured here")
    st.table(packages_table().set_index("Package"), border="horizontal", alt="Models of others, measured here")
    st.caption(IN_PACKAGES_ARE)


def hardest(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:  # noqa: ARG001 (as all)
    """Show test faces that all models get wrong, that one gets wrong with confidence, or that divide the models."""
    stored, answers = common.choose_answers("d_hard", drawer)
    with drawer, st.container(horizontal=True):
        order = choose("Show faces where", HARDEST, "d_hardest", format_func=HARDEST.__getitem__)
        name = common.choose_predictions(stored, answers, "d_hard_model")
    table = hardest_faces(answers, order, name)
    with top:
        answer(says.hardest(order, len(table), of=len(answers.labels)))
        known = faces_of(answers.split)
        show_faces(table.head(MOST_SHOWN), known, f"Predictions of {plain(answers.titles[name])}")
    st.caption(f"{plain(answers.where)}. {counted(len(answers.names), 'model')}. {answers.yardstick}")
    note_utkface(model for model in stored if model.name in answers.names)


def copies(faces: Fer2013Faces, top: DeltaGenerator, drawer: DeltaGenerator) -> None:
    """Show how many pictures occur more than once, and every model's accuracy without those that it was trained on."""
    titles = {"exact": "Equal pixels", "near": "Nearly the same"}
    if faces.dataset is not None:
        titles["differing"] = "With different labels"
    with top:
        answer(says.copies(label_truth.copies_counted()))
        show_table(
            label_truth.copies_by_split(faces.dataset),
            "Pairs of the same picture by split",
            {"splits": "Pairs within or between", **{name: (title, "localized") for name, title in titles.items()}},
        )
        st.caption(f"Nearly the same: a correlation of the pixels of {LEAST} or more.")
    st.header("Accuracy without them")
    with drawer, st.container(horizontal=True):
        split = choose("Test split", TEST_SPLITS, "d_copies_split")
        by = common.choose_yardstick("d_copies_by")
    exact, near = label_truth.copied_faces(split)
    st.markdown(
        f"**{exact} faces of {split}** have equal pixels in Training, and **{near} more** are nearly the same picture "
        "as a face there."
    )
    stored, _ = list_models()
    answers, _ = predictions(stored, split, "plain", by)
    if answers is None:
        st.info("No model has predictions of this split.", icon=":material/info:")
    else:
        table = label_truth.without_copies(answers).sort_values("all", ascending=False)
        alt = f"Accuracy on {split} with and without faces that are also in Training"
        show_table(table, alt, label_truth.without_copies_columns(table))
        st.caption(
            f"Accuracy on {answers.where}. The interval belongs to the last number. The other numbers of this app "
            "include all faces, as published results do."
        )
        note_utkface(model for model in stored if model.name in answers.names)
    if (dataset := faces.dataset) is not None:
        differing, pairs = label_truth.differing_copies(dataset)
        st.header("One picture, two labels")
        st.markdown(f"**{len(differing):,} of {pairs:,} pairs** have different labels.")
        face_tiles([_tile(faces, dataset, place) for pair in differing[:PAIRS_SHOWN] for place in pair], "copies")
        st.caption("Two faces next to each other are a pair.")
