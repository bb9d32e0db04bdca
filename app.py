"""FER Lab's front door: the pages and their order, nothing else."""

import streamlit as st

st.set_page_config(page_title="FER Lab", page_icon=":material/sentiment_satisfied:", layout="wide")

page = st.navigation(
    [
        st.Page(
            "pages/home.py",
            title="Home",
            icon=":material/home:",
            help="What FER Lab is, one live prediction, and how good each model is.",
            default=True,
        ),
        st.Page(
            "pages/predict.py",
            title="Predict",
            icon=":material/ar_on_you:",
            help="Expressions of every face in your pictures, why the model says so, and what changes its mind.",
        ),
    ],
    position="top",
)
page.run()
