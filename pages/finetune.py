"""Fine-tune: select faces and a network, train, evaluate the result, and make it available on every page."""

import streamlit as st

from fer_core.runs.estimate import duration_text, estimate
from fer_core.runs.run import RunPlan
from fer_core.types import FerError
from fer_core.visitors import limits
from pages.parts.common import ERROR, emphasis, warn
from pages.parts.head import head
from pages.parts.new_run import select_data, select_network, select_recipe
from pages.parts.runs import NEW_TAB, RUNS_TAB, TAB, all_runs, live, select_runs, start, try_newest
from pages.parts.tuning import tuning
from pages.parts.visitor import training_allowed

TUNING_TAB = "Tuning"

head("Fine-tune", "Train a model on this computer, on FER2013 or on your own pictures, and watch it learn.")
if not training_allowed():
    st.stop()
warn(st.session_state.pop(ERROR, []))
names = [NEW_TAB, RUNS_TAB] if limits() else [NEW_TAB, RUNS_TAB, TUNING_TAB]  # a study takes a server for hours
new_tab, runs_tab, *others = st.tabs(names, key=TAB, bind="query-params")
if new_tab.open:
    with new_tab:
        collect, train, use = st.columns(3, gap="medium")
        with collect:
            st.subheader("1. Collect")
            source, faces, description = select_data()
        with train:
            st.subheader("2. Train")
            spec = select_network()
            try:
                spec, recipe = select_recipe(spec, faces or 2000)
            except FerError as error:
                warn([str(error)])
                st.stop()
            title = f"{spec.title}, {description}" if source else spec.title
            given = st.text_input("Name of the run", placeholder=title, max_chars=80, key="f_title")
            icon = ":material/play_arrow:"
            if source is None:
                st.button("Start training", icon=icon, disabled=True, key="f_go_off")
                st.caption("There is nothing to train on yet: see step 1.")
            else:
                plan = RunPlan(given.strip() or title, spec, recipe, source)
                st.button("Start training", type=emphasis(), icon=icon, key="f_go", on_click=start, args=(plan,))
                time = estimate(spec, recipe, faces=faces)
                st.caption(f"Takes {duration_text(time.seconds)}.", help=time.basis)
        with use:
            st.subheader("3. Try")
            try_newest(all_runs())
if runs_tab.open:
    with runs_tab:
        if runs := all_runs():
            live(select_runs(runs))
        else:
            words = "Your trainings, with their curves and results, will be listed here."
            st.info(words, icon=":material/model_training:")
for tuning_tab in others:
    if tuning_tab.open:
        with tuning_tab:
            tuning()
