"""Predict: the expressions of every face in a visitor's pictures, the reasons, and the effect of edits."""

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.inference.pictures import results_csv, results_json, results_table
from pages.parts import common
from pages.parts import pictures as parts
from pages.parts.common import offer_download, plain, warn
from pages.parts.face import FaceView, edit_panel, face_bars, face_reasons
from pages.parts.head import head

head("Predict", "Give a picture, and see which of seven expressions each face in it shows, and why the model says so.")

stored = common.servable_models()
titles = common.model_titles(stored)
names = list(titles)
with st.container(horizontal=True, vertical_alignment="bottom"):
    source = common.choose("Picture", parts.available_sources(), "p_source")
    with st.popover("Models", icon=":material/model_training:"):
        chosen = common.choose_several("Select one or more", titles, "p_models", default=names[:1], wrap=True)
    flip = st.toggle("Average with mirror image", key="p_flip", bind="query-params")
    whole = common.whole_image_toggle("p_whole")
selected = common.of_same_classes([model for model in stored if model.name in (chosen or names[:1])])
models, broken = parts.load_models(selected)
warn(broken, "Some models cannot be used:")
common.note_utkface(selected, scores=False)
if not models:
    st.stop()
pictures = [replace(picture, flip=flip, whole_image=whole) for picture in parts.pictures_from(source)]
if not pictures:
    st.caption(parts.SOURCES[source])
    st.stop()

results = parts.results_for(pictures, models)
first = results[models[0]]
failed = [result.error for result in first if result.error]
warn(failed, f"{len(failed)} of {len(pictures)} files cannot be used:")
good = [k for k, result in enumerate(first) if not result.error]
if not good:
    st.stop()

shown = good[0]
if len(good) > 1:
    counts = {k: "1 face" if len(first[k].faces) == 1 else f"{len(first[k].faces)} faces" for k in good}
    entries = [f"{k + 1}  {picture.name}  ({counts.get(k)})" for k, picture in enumerate(pictures)]
    shown = st.selectbox(f"Show one of {len(good)} pictures", good, format_func=entries.__getitem__, key="p_picture")
picture = pictures[shown]
faces = first[shown].faces

left, right = st.columns([4, 5], gap="medium")
boxes = ", ".join(f"{number} {face.answer}" for number, face in enumerate(faces, 1)) or "no face found"
caption = SAMPLE_CREDIT if picture.key == parts.SAMPLE.key else plain(picture.name)
with left:
    alt = f"Picture with numbered boxes: {boxes}"
    st.image(parts.annotated(picture, models[0]), caption=caption, width="stretch", alt=alt)
    if not whole:
        common.note_detector()

with right:
    if not faces:
        st.info(
            "No face was found in this picture. A larger, brighter or more frontal face may help. If the picture is a "
            "face crop already, as in FER2013, take it as a whole.",
            icon=":material/face_retouching_off:",
        )
        take = partial(st.session_state.update, p_whole=True)
        st.button("Take the whole picture as a face", icon=":material/crop_free:", on_click=take, key="p_take_whole")
    else:
        numbers, number = list(range(1, len(faces) + 1)), 1
        if 1 < len(faces) <= 10:
            number = st.pills("Face", numbers, default=1, required=True, key="p_face", bind="query-params") or 1
        elif len(faces) > 10:
            number = st.selectbox(f"Face, 1 to {len(faces)}", numbers, key="p_face", bind="query-params")
        views = [FaceView(picture, model, min(int(number), len(faces))) for model in models]
        face_bars(views)

if faces:
    st.header("Why")
    face_reasons(views)
    st.header("What changes the prediction")
    edit_panel(views)

st.header("Download the results")
everything = [result for model in models for result in results[model]]
with st.container(horizontal=True):
    offer_download("CSV", results_csv(everything), "expressions.csv", "text/csv", "table", "p_csv")
    offer_download("JSON", results_json(everything), "expressions.json", "application/json", "data_object", "p_json")
    label, file_name, mime = "Pictures with boxes (zip)", "annotated.zip", "application/zip"
    if len(good) == 1:
        label, file_name, mime = "Picture with boxes (PNG)", "annotated.png", "image/png"
    content = partial(parts.annotated_download, [pictures[k] for k in good], [first[k] for k in good])
    offer_download(label, content, file_name, mime, "image", "p_png")
table = results_table(everything)
if not table.empty:
    table["Model"] = table["Model"].map(titles)
    columns: dict[str, Any] = {name: st.column_config.NumberColumn(format="percent") for name in models[0].card.classes}
    columns["Probability"] = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
    with st.expander("All faces as a table", icon=":material/table_rows:"):
        st.dataframe(table, hide_index=True, alt="Every face with its probabilities", column_config=columns)
