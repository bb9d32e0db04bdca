"""Tour: one face from pixels to probabilities, one step at a time, each with a link."""

import streamlit as st

from fer_core.types import FerError
from pages.parts.common import choose, model_titles, note_utkface, servable_models, warn, with_code
from pages.parts.head import head
from pages.parts.pictures import SOURCES, available_sources, load_models, pictures_from, tour_of
from pages.parts.tour import STEPS, show_step

sentence = st.container()
step = choose("Step", STEPS, "t_step", label_visibility="collapsed")
with sentence:
    head(
        f"Tour, step {list(STEPS).index(step) + 1} of {len(STEPS)}: {step}",
        "Follow one face from pixels to probabilities. Below the steps you can choose another picture or model.",
    )
body = st.container()

stored = [model for model in servable_models() if model.card.spec is not None]
with st.container(horizontal=True):
    source = choose("Picture", available_sources(), "t_source")
    titles = model_titles(stored)
    chosen = st.selectbox(
        "Model", titles, format_func=titles.__getitem__, key="t_served", bind="query-params", width=300
    )
wanted = [model for model in stored if model.name == chosen]
models, broken = load_models(wanted)
warn(broken, "This model cannot be used:")
note_utkface(wanted, scores=False)
pictures = pictures_from(source, prefix="t", several=False)
if not pictures:
    st.caption(SOURCES[source])
spec = next((model.card.spec for model in stored if model.name == chosen), None)

with body:
    if models and pictures and spec:
        try:
            show_step(step, tour_of(pictures[0], models[0], spec), pictures[0], models[0])
        except FerError as error:
            st.info(with_code(str(error)), icon=":material/info:")
