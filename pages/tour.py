"""Tour: one face from pixels to probabilities, one step at a time, each with a link."""

import streamlit as st

from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError
from pages.parts.common import choose, choose_model, note_utkface, servable_models, with_code
from pages.parts.head import head
from pages.parts.pictures import SOURCES, available_sources, opened_model, pictures_from, tour_of
from pages.parts.tour import STEPS, show_step

sentence = st.container()
step = choose("Step", STEPS, "t_step", label_visibility="collapsed")
with sentence:
    head(
        f"Tour, step {list(STEPS).index(step) + 1} of {len(STEPS)}: {step}",
        "Follow one face from pixels to probabilities. Below the steps you can choose another picture or model.",
    )
body = st.container()

stored = [model for model in servable_models(EXPRESSIONS) if model.card.spec is not None]
with st.container(horizontal=True):
    source = choose("Picture", available_sources(), "t_source")
    chosen = choose_model(stored, "t_served")
model = opened_model(chosen)
note_utkface(chosen, scores=False)
pictures = pictures_from(source, prefix="t", several=False)
if not pictures:
    st.caption(SOURCES[source])

with body:
    if pictures and model.card.spec:
        try:
            show_step(step, tour_of(pictures[0], model, model.card.spec), pictures[0], model)
        except FerError as error:
            st.info(with_code(str(error)), icon=":material/info:")
