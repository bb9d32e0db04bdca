"""Part of the Predict page: what the models saw, where they find evidence, and what covering the face changes."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fer_core.explain import NOTABLE, OcclusionMap
from fer_core.faces import Evidence, evidence_for
from fer_core.figures.theme import percent_text
from fer_core.labels import EXPRESSIONS, expression_index
from pages.parts.common import plain
from pages.parts.explanations import explain
from pages.parts.pictures import evidence_tile, input_tile, occlusion_of
from pages.parts.predict import FEW_MODELS, FaceView

PREDICTED: Final = "the prediction"
OTHERS: Final = "all others"

WEAK: Final = 0.25
"""Share of the scale below which a map is nearly dark."""


def face_reasons(views: list[FaceView]) -> None:
    """Show the input of the models, their activation maps, and on demand their occlusion maps."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.selectbox(
            "Evidence for", [PREDICTED, *EXPRESSIONS], key="p_evidence", bind="query-params", width=200
        )
        other = st.selectbox("Against", [OTHERS, *EXPRESSIONS], key="p_against", bind="query-params", width=200)
        with_occlusion = st.toggle(
            "Occlusion map",
            key="p_occlusion",
            bind="query-params",
            help="Covers one part of the face after the other with gray and measures how far the probability falls: "
            "145 predictions, half a second per model.",
        )
    st.caption(
        "The maps show in coarse cells where the model finds evidence. They do not say why, or what the person feels."
    )
    against = None if other == OTHERS else str(other)
    with_map = next((view for view in views if view.face.activation is not None), None)
    many = len(views) > FEW_MODELS
    if many:
        _name_those_without_map(views)
    columns, least = (3, 240) if not many else (4, 150)  # so that many models fit a phone
    with st.grid(columns, min_column_width=least, gap="medium"):
        _inputs(views)
        for view in views:
            expression = view.face.expression if wanted == PREDICTED else str(wanted)
            prefix = f"{plain(view.model.title)}: " if len(views) > 1 else ""
            if expression == against:
                st.caption(f"{prefix}{expression} cannot be compared with itself. Choose another expression.")
                continue
            if view.face.activation is not None or not many:
                with st.container(gap="xsmall"):
                    _activation(view, expression, against, prefix)
                    if view is with_map:
                        _explain_activation(view)
            if with_occlusion:
                with st.container(gap="xsmall"):
                    _occlusion(view, expression, against, prefix)
                    if view is views[0]:
                        _explain_occlusion(view)


def _inputs(views: list[FaceView]) -> None:
    """Show the face as the models see it, once for all models with the same preprocessing."""
    groups: dict[str, list[FaceView]] = {}
    for view in views:
        groups.setdefault(view.model.preprocessing, []).append(view)
    for group in groups.values():
        first, everyone = group[0], "the models" if len(views) > 1 else "the model"
        titles = [plain(view.model.title) for view in group]
        named = " and ".join(titles) if len(titles) <= FEW_MODELS else f"{len(titles)} of the models"
        who = everyone if len(groups) == 1 else named
        st.image(
            input_tile(first.face, first.model),
            caption=f"What {who} saw: 48 × 48 gray pixels",
            width="stretch",
            alt=f"Face {first.number}, cut out upright in gray"
            + ("" if first.model.preprocessing == "none" else f", prepared for {first.model.title}"),
        )


def _name_those_without_map(views: list[FaceView]) -> None:
    titles = [plain(view.model.title) for view in views if view.face.activation is None]
    if titles:
        st.caption(
            f"Without an activation map, because they take the face as one piece: {'; '.join(titles)}. The occlusion "
            "map shows what their predictions depend on."
        )


def _activation(view: FaceView, expression: str, against: str | None, prefix: str) -> None:
    if view.face.activation is None:
        st.caption(
            f"{prefix}This model takes the face as one piece and has no activation map. The occlusion map shows "
            "what its prediction depends on."
        )
        return
    evidence = evidence_for(view.face.activation, expression, against=against)
    share = float(abs(evidence.shares).max())
    if against and share < WEAK:
        words = f"Little separates {expression} from {against}"
    elif against:
        words = f"Blue places speak for {expression}, orange ones for {against}"
    elif share < WEAK:
        words = f"Little speaks for {expression}: at most {percent_text(share)} of the strongest evidence in this face"
    else:
        words = f"Bright places speak for {expression}"
    _tile(view, evidence, prefix + words, f"Activation map of {view.model.title} for {expression}", against)


def _explain_activation(view: FaceView) -> None:
    assert view.face.activation is not None
    rows, columns = view.face.activation.shape[:2]
    peaks = {name: float(evidence_for(view.face.activation, name).shares.max()) for name in EXPRESSIONS}
    (best, high), (second, second_high) = sorted(peaks.items(), key=lambda item: -item[1])[:2]
    explain(
        "Activation map",
        f"{view.model.title}: {rows} × {columns} cells. The strongest evidence is for {best} ({percent_text(high)} of "
        f"the scale), then for {second} ({percent_text(second_high)}).",
    )


def _occlusion(view: FaceView, expression: str, against: str | None, prefix: str) -> None:
    with st.spinner("Covering the face part by part"):
        occlusion = occlusion_of(view.picture, view.model, view.number)
    if against:
        words = (
            f"Covering blue places shifts the balance from {expression} to {against}, "
            f"covering orange ones from {against} to {expression}"
        )
    else:
        points = _points(occlusion, expression)
        words = f"Covering bright places lowers {expression} most, by up to {points} points"
        if points == 0:
            words = f"Covering any place lowers {expression} by less than 1 point"
    evidence = evidence_for(occlusion.drop, expression, against=against, at_least=NOTABLE)
    _tile(view, evidence, prefix + words, f"Occlusion map of {view.model.title} for {expression}", against)


def _explain_occlusion(view: FaceView) -> None:
    occlusion, face = occlusion_of(view.picture, view.model, view.number), view.face
    rows, columns = occlusion.drop.shape[:2]
    explain(
        "Occlusion map",
        f"{view.model.title}: {rows} × {columns} places. Covering the most important one lowers {face.expression} from "
        f"{percent_text(face.confidence)} by {_points(occlusion, face.expression)} points.",
    )


def _points(occlusion: OcclusionMap, expression: str) -> int:
    """Return the largest drop of an expression's probability in percentage points."""
    return round(100 * max(0.0, float(occlusion.drop[:, :, expression_index(expression)].max())))


def _tile(view: FaceView, evidence: Evidence, caption: str, title: str, against: str | None) -> None:
    st.image(
        evidence_tile(view.face, evidence),
        caption=caption,
        width="stretch",
        alt=title + (f" against {against}" if against else ""),
    )
