"""Predict: expressions of every face in one's own pictures, why, and what changes the model's mind."""

import streamlit as st

from fer_core.data import SAMPLE_CREDIT
from fer_core.faces import default_detector
from fer_core.labels import EXPRESSIONS
from pages.parts.analysis import SAMPLE, answers_for, plain, ready, serving_models, warn
from pages.parts.edit_panel import edit_panel
from pages.parts.exports import as_csv, as_json, as_pictures, as_table
from pages.parts.pictures import annotated
from pages.parts.predict import View, face_bars, face_reasons, no_face_found
from pages.parts.sources import SOURCES, pictures_from, sources

MANY_FACES = 10

st.title("Predict")
st.markdown("Every face in a picture gets seven probabilities, one for each expression.")

models = serving_models()
names = [model.name for model in models]
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    source = st.segmented_control(
        "Picture", sources(), default="Sample", required=True, key="p_source", bind="query-params"
    )
    chosen = st.pills("Models", names, selection_mode="multi", default=names[:1], key="p_models", bind="query-params")
    flip = st.toggle("Average with mirror image", key="p_flip", bind="query-params")
    whole = st.toggle(
        "Pictures are faces already",
        key="p_whole",
        bind="query-params",
        help="Take each whole picture as one face, framed as in FER2013, and look for no face in it.",
    )
titles, broken = ready([model for model in models if model.name in (chosen or names[:1])], flip, whole)
warn(broken, "Some models cannot be used:")
if not titles:
    st.stop()
hows = list(titles)
pictures = pictures_from(str(source))
if not pictures:
    st.caption(SOURCES[str(source)])
    st.stop()

answers = answers_for(pictures, hows)
failed = [given.error for given in answers[hows[0]] if given.error]
warn(failed, f"{len(failed)} of {len(pictures)} files cannot be used:")
good = [k for k, given in enumerate(answers[hows[0]]) if not given.error]
if not good:
    st.stop()

shown = good[0]
if len(good) > 1:
    counts = {k: len(answers[hows[0]][k].faces) for k in good}
    shown = st.selectbox(
        f"Show one of {len(good)} pictures",
        good,
        format_func=lambda k: f"{k + 1}  {pictures[k].name}  ({counts[k]} {'face' if counts[k] == 1 else 'faces'})",
        key="p_picture",
    )
picture = pictures[shown]
faces = answers[hows[0]][shown].faces

left, right = st.columns([4, 5], gap="large")
boxes = ", ".join(f"{number} {face.expression}" for number, face in enumerate(faces, 1)) or "no face found"
left.image(
    annotated(picture, hows[0]),
    caption=SAMPLE_CREDIT if picture is SAMPLE else plain(picture.name),
    width="stretch",
    alt=f"Picture with numbered boxes: {boxes}",
)
if (note := default_detector().note) and not whole:
    left.caption(f":material/info: {plain(note)}")

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
        number = min(int(number), len(faces))
        views = [View(picture, how, titles[how], number) for how in hows]
        face_bars(views)

if faces:
    st.header("Why")
    face_reasons(views)
    st.header("What changes the model's mind")
    edit_panel(views)

st.header("Take the results along")
every = [given for how in hows for given in answers[how]]
with st.container(horizontal=True):
    st.download_button(
        "CSV", as_csv(every), "expressions.csv", "text/csv", icon=":material/table:", on_click="ignore", key="p_csv"
    )
    st.download_button(
        "JSON", as_json(every), "expressions.json", "application/json", icon=":material/data_object:",
        on_click="ignore", key="p_json",
    )  # fmt: skip
    kept = [pictures[k] for k in good]
    drawn = [answers[hows[0]][k] for k in good]
    one = len(kept) == 1
    st.download_button(
        "Picture with boxes (PNG)" if one else "Pictures with boxes (zip)",
        lambda: as_pictures(kept, drawn),
        "annotated.png" if one else "annotated.zip",
        "image/png" if one else "application/zip",
        icon=":material/image:",
        on_click="ignore",
        key="p_png",
    )
table = as_table(every)
if not table.empty:
    percent = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
    columns = {
        "Probability": percent,
        **{name: st.column_config.NumberColumn(format="percent") for name in EXPRESSIONS},
    }
    with st.expander("All faces as a table", icon=":material/table_rows:"):
        st.dataframe(table, hide_index=True, alt="Every face with its probabilities", column_config=columns)
