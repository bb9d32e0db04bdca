"""Predict: the expressions of every face in a visitor's pictures, the reasons, and the effect of edits."""

from dataclasses import replace

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.inference.pictures import results_csv, results_json, results_table
from fer_core.labels import EXPRESSIONS
from pages.parts.common import (
    choose,
    model_titles,
    note_detector,
    note_utkface,
    offer_download,
    plain,
    servable_models,
    warn,
    whole_image_toggle,
)
from pages.parts.head import head
from pages.parts.pictures import (
    SAMPLE,
    SOURCES,
    annotated,
    annotated_download,
    available_sources,
    load_models,
    pictures_from,
    results_for,
)
from pages.parts.predict import FaceView, edit_panel, face_bars, face_reasons, no_face_found

MANY_FACES = 10

head("Predict", "Give a picture, and see which of seven expressions each face in it shows, and why the model says so.")

stored = servable_models()
titles = model_titles(stored)
names = list(titles)
with st.container(horizontal=True, vertical_alignment="bottom"):
    source = choose("Picture", available_sources(), "p_source")
    with st.popover("Models", icon=":material/model_training:"):
        chosen = st.pills(
            "Select one or more",
            names,
            selection_mode="multi",
            default=names[:1],
            format_func=lambda name: plain(titles[name]),
            key="p_models",
            bind="query-params",
            wrap=True,
        )
    flip = st.toggle("Average with mirror image", key="p_flip", bind="query-params")
    whole = whole_image_toggle("p_whole")
wanted = [model for model in stored if model.name in (chosen or names[:1])]
models, broken = load_models(wanted)
warn(broken, "Some models cannot be used:")
note_utkface(wanted, scores=False)
if not models:
    st.stop()
pictures = [replace(one, flip=flip, whole_image=whole) for one in pictures_from(source)]
if not pictures:
    st.caption(SOURCES[source])
    st.stop()

results = results_for(pictures, models)
first = results[models[0]]
failed = [result.error for result in first if result.error]
warn(failed, f"{len(failed)} of {len(pictures)} files cannot be used:")
good = [k for k, result in enumerate(first) if not result.error]
if not good:
    st.stop()

shown = good[0]
if len(good) > 1:
    counts = {k: len(first[k].faces) for k in good}
    shown = st.selectbox(
        f"Show one of {len(good)} pictures",
        good,
        format_func=lambda k: f"{k + 1}  {pictures[k].name}  ({counts[k]} {'face' if counts[k] == 1 else 'faces'})",
        key="p_picture",
    )
picture = pictures[shown]
faces = first[shown].faces

left, right = st.columns([4, 5], gap="medium")
boxes = ", ".join(f"{number} {face.answer}" for number, face in enumerate(faces, 1)) or "no face found"
left.image(
    annotated(picture, models[0]),
    caption=SAMPLE_CREDIT if picture.key == SAMPLE.key else plain(picture.name),
    width="stretch",
    alt=f"Picture with numbered boxes: {boxes}",
)
if not whole:
    with left:
        note_detector()

with right:
    if not faces:
        no_face_found()
    else:
        numbers = list(range(1, len(faces) + 1))
        number = 1
        if 1 < len(faces) <= MANY_FACES:
            number = st.pills("Face", numbers, default=1, required=True, key="p_face", bind="query-params") or 1
        elif len(faces) > MANY_FACES:
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
    single = len(good) == 1
    offer_download(
        "Picture with boxes (PNG)" if single else "Pictures with boxes (zip)",
        lambda: annotated_download([pictures[k] for k in good], [first[k] for k in good]),
        "annotated.png" if single else "annotated.zip",
        "image/png" if single else "application/zip",
        "image",
        "p_png",
    )
table = results_table(everything)
if not table.empty:
    table["Model"] = table["Model"].map(titles)
    columns = {
        "Probability": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
        **{name: st.column_config.NumberColumn(format="percent") for name in EXPRESSIONS},
    }
    with st.expander("All faces as a table", icon=":material/table_rows:"):
        st.dataframe(table, hide_index=True, alt="Every face with its probabilities", column_config=columns)
