"""Fine-tune: choose faces and a network, watch it learn, measure it, and offer it on every page."""

import streamlit as st

from fer_core.runs.estimate import estimate, words_for
from fer_core.runs.plan import RunPlan
from fer_core.runs.queue import submit
from fer_core.types import FerError
from pages.parts.analysis import plain
from pages.parts.finetune.data import data_choice
from pages.parts.finetune.result import result
from pages.parts.finetune.runs import CHOSEN, ERROR, all_runs, choose, live
from pages.parts.finetune.settings import model_choice, settings, words_for_recipe
from pages.parts.finetune.tuning import tuning_panel

TAB, NEW, RUNS, TUNING = "f_tab", "New run", "Runs", "Tuning"
LAST_TAB = "f_last_tab"  # which one was open: Streamlit forgets a page's widgets when one leaves it


def start(plan: RunPlan) -> None:
    """Put a run into the queue and turn to it."""
    try:
        run = submit(plan)
        st.session_state[TAB] = RUNS
        st.query_params[CHOSEN] = run.id
    except FerError as error:
        st.session_state[ERROR] = str(error)


st.title("Fine-tune")
st.markdown("Train a model on this computer, on FER2013 or on your own pictures, and watch it learn.")
if ERROR in st.session_state:
    st.error(plain(st.session_state.pop(ERROR)), icon=":material/error:")

if TAB not in st.session_state and TAB not in st.query_params:
    st.session_state[TAB] = st.session_state.get(LAST_TAB, NEW)
new, past, tuning = st.tabs([NEW, RUNS, TUNING], key=TAB, bind="query-params")
st.session_state[LAST_TAB] = st.session_state[TAB]
if new.open:
    with new:
        left, right = st.columns(2, gap="large")
        with left:
            st.subheader("1. Faces")
            chosen = data_choice()
        with right:
            st.subheader("2. Network and settings")
            spec = model_choice()
            try:
                spec, recipe = settings(spec, chosen.faces or 2000)
            except FerError as error:
                st.warning(plain(str(error)), icon=":material/warning:")
                st.stop()
            st.caption(plain(words_for_recipe(spec, recipe)))
            st.subheader("3. Start")
            title = f"{spec.title}, {chosen.words}" if chosen.choice else spec.title
            given = st.text_input("Name of the run", placeholder=title, max_chars=80, key="f_title")
            if chosen.choice is None:
                st.button("Start training", icon=":material/play_arrow:", disabled=True, key="f_go_off")
                st.caption("There is nothing to learn from yet: see step 1.")
            else:
                plan = RunPlan(given.strip() or title, spec, recipe, chosen.choice)
                st.button(
                    "Start training", type="primary", icon=":material/play_arrow:", key="f_go", on_click=start,
                    args=(plan,),
                )  # fmt: skip
                time = estimate(spec, recipe, chosen.faces)
                st.caption(f"Takes {words_for(time.seconds)}. {time.basis}")
if past.open:
    with past:
        runs = all_runs()
        if not runs:
            st.info("There is no run yet. Start one under “New run”; it then learns here, before your eyes.")
        else:
            shown = choose(runs)
            live(shown)
            if shown[0].status().state == "finished":
                result(shown[0])
if tuning.open:
    with tuning:
        tuning_panel(start)
