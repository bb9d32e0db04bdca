"""Predict: the expressions of every face in a visitor's pictures, the reasons, and the effect of edits."""

from dataclasses import replace
from functools import partial

import streamlit as st

from fer_core.columns import PERCENT, Columns
from fer_core.explain.examples import EXAMPLES
from fer_core.inference.pictures import results_csv, results_json, results_table
from pages.parts import common
from pages.parts import pictures as parts
from pages.parts.common import offer_download, plain, show_table, warn
from pages.parts.face import examples, photo, strip
from pages.parts.face_views import FaceView, edit_panel, face_bars, face_reasons
from pages.parts.head import head

FACE = "p_face"  # query parameter: the face whose details are shown, from 1

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
asked = [model for model in stored if model.name in (chosen or names[:1])]
selected = [model for model in asked if model.card.classes == asked[0].card.classes]
if others := [model.title for model in asked if model not in selected]:
    st.caption(
        f"Left out: {plain(', '.join(others))}. Only models of the same classes are shown together; "
        f"{plain(asked[0].title)} has other ones."
    )
models, broken = parts.load_models(selected)
warn(broken, "Some models cannot be used:")
common.note_utkface(selected, scores=False)
if not models:
    st.stop()
if source == "Sample":
    examples()
pictures = [replace(picture, flip=flip, whole_image=whole) for picture in parts.pictures_from(source)]
if not pictures:
    st.caption(parts.SOURCES[source])
    if source == "Upload":
        st.markdown("**Or try one of these**")
        examples(chosen=False)
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
    entries = [f"{k + 1}  {picture.name}" for k, picture in enumerate(pictures)]
    shown = st.selectbox(f"Show one of {len(good)} pictures", good, format_func=entries.__getitem__, key="p_picture")
picture = pictures[shown]
faces = first[shown].faces


def choose(place: int) -> None:
    """Show the details of another face."""
    st.query_params[FACE] = str(place + 1)


face = st.query_params.get(FACE, "1")[:4]
number = max(1, min(int(face), len(faces))) if face.isdecimal() else 1
views = [FaceView(picture, model, number) for model in models] if faces else []
caption = EXAMPLES[picture.key][1] if picture.key in EXAMPLES else plain(picture.name)
left, right = st.columns([4, 5], gap="medium")
with left:
    photo(picture, models[0], chosen=number - 1, choose=choose, key="p_photo")
    st.caption(caption)
    if not whole:
        common.note_detector()
with right:
    if len(faces) > 1:
        strip(picture, models[0], chosen=number - 1, choose=choose, key="p_faces")
    elif faces:
        face_bars(views)
    else:
        st.info(
            "No face was found in this picture. A larger, brighter or more frontal face may help. If the picture is a "
            "face crop already, as in FER2013, take it as a whole.",
            icon=":material/face_retouching_off:",
        )
        take = partial(st.session_state.update, p_whole=True)
        st.button("Take the whole picture as a face", icon=":material/crop_free:", on_click=take, key="p_take_whole")
if len(faces) > 1:
    left, right = st.columns([4, 5], gap="medium")
    left.image(parts.faces_upright(picture, models[0])[number - 1], width=336, alt=f"Face {number}, upright")
    with right:
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
    shares = ("Probability", *models[0].card.classes)
    columns: Columns = {name: (name, PERCENT) if name in shares else name for name in map(str, table)}
    with st.expander("All faces as a table", icon=":material/table_rows:"):
        show_table(table, "Every face with its probabilities", columns)
