"""FER Lab's front door: the pages and their order, nothing else."""

import streamlit as st

st.set_page_config(page_title="FER Lab", page_icon="🙂", layout="wide")

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
        st.Page(
            "pages/compare.py",
            title="Compare models",
            icon=":material/leaderboard:",
            url_path="compare",
            help="Which model is best, how sure one may be, and what fusing several gains.",
        ),
        st.Page(
            "pages/confusion.py",
            title="Confusion",
            icon=":material/grid_on:",
            help="Which expressions a model takes for which, and the faces behind it.",
        ),
    ],
    position="top",
)
page.run()
