"""Home: what FER Lab is, one live prediction, how good the models are, and links to the other pages."""

import streamlit as st

from fer_core.comparison import home_scoreboard
from fer_core.data import SAMPLE_CREDIT
from fer_core.evaluation.paper import OVERALL
from fer_core.faces import default_detector
from fer_core.figures import accuracy_intervals, probability_bars, probability_text
from fer_core.store import list_models
from pages.parts.charts import show_chart
from pages.parts.common import choose_yardstick, no_model_yet, note_untested, note_utkface, plain, warn
from pages.parts.explanations import explain
from pages.parts.not_sure import why_not_sure
from pages.parts.notice import notice
from pages.parts.pictures import SAMPLE, ServedModel, annotated, load_models, results_for

st.title("FER Lab")
st.markdown("See which of seven expressions a model reads on a face, why it says so, and how far to trust it.")

stored, complaints = list_models()
models: list[ServedModel] = []
for candidate in stored:
    if candidate.servable and not models:
        models, broken = load_models([candidate])
        complaints += broken
warn(complaints, "Some models cannot be used:")

if models:
    model = models[0]
    result = results_for([SAMPLE], [model])[model][0]
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    face = result.faces[0] if result.faces else None
    alt = f"Portrait with a box around the face, labelled {face.answer}" if face else "Portrait without a box"
    left.image(annotated(SAMPLE, model), width="stretch", caption=SAMPLE_CREDIT, alt=alt)
    with right:
        if face:
            st.subheader(f"{plain(model.title)} says: {face.answer}")
            why_not_sure(face)
            show_chart(
                probability_bars(face.probabilities), alt=f"Probabilities: {probability_text(face.probabilities, 7)}"
            )
        else:
            st.info(plain(result.error or "No face was found in the sample."))
        with st.container(horizontal=True):
            for words, icon, source in (
                ("Try your own pictures", ":material/upload:", "Upload"),
                ("Take a photo", ":material/photo_camera:", "Camera"),
                ("See why", ":material/psychology_alt:", "Sample"),
            ):
                st.page_link("pages/predict.py", label=words, icon=icon, query_params={"p_source": source})
    if note := default_detector().note:
        st.caption(f":material/info: {plain(note)}")
else:
    no_model_yet()

with st.container(border=True):
    st.markdown("**Before you use it with people**")
    notice()

tested = [model for model in stored if model.card.tested]
if tested:
    st.header("How good the models are")
    st.markdown(
        "Share of FER2013's test faces that each model classifies correctly, with 95 % intervals. Models whose "
        "intervals overlap widely may well be equally good. Intervals cover which test faces were drawn, not training "
        "again with another seed."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = choose_yardstick("h_by")
        intervals, table, unscored = home_scoreboard(tested, by)
        if intervals:
            one = intervals[0]
            explain(
                "Accuracy",
                f"{one.model}: {one.accuracy:.1%} on {one.split}, 95 % interval {one.low:.1%} to {one.high:.1%}.",
            )
    warn(unscored, "Some models have no score:")
if tested and intervals:
    best = max(OVERALL, key=lambda row: row.accuracy)
    words = f"paper's best, as reported {best.accuracy * 100:.1f} %"
    reported = {words: best.accuracy} if by == "label" else {}  # the paper judges by FER2013's label
    show_chart(
        accuracy_intervals(intervals, reported),
        alt="Accuracy: " + "; ".join(f"{one.model} {one.accuracy:.1%} on {one.split}" for one in intervals),
    )
    f1 = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        alt="Scoreboard of the models",
        column_config={
            "PublicTest macro F1": f1,
            "PrivateTest macro F1": f1,
            "Degraded faces": st.column_config.TextColumn(
                help="Accuracy with noise, blur, low resolution, low light and occlusion; see Compare"
            ),
            "Parameters": st.column_config.NumberColumn(format="compact"),
        },
    )
note_utkface(model.card for model in tested)
note_untested(stored)
