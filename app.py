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
            "pages/live.py",
            title="Live camera",
            icon=":material/videocam:",
            url_path="live",
            help="Expressions on your own face while you move, with bars, the last minute and a recording.",
        ),
        st.Page(
            "pages/video.py",
            title="Video",
            icon=":material/movie:",
            url_path="video",
            help="Expressions over time in a video file, with the annotated video and the table to take along.",
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
        st.Page(
            "pages/finetune.py",
            title="Fine-tune",
            icon=":material/model_training:",
            url_path="finetune",
            help="Train a model on FER2013 or on your own pictures, watch it learn, and offer it on every page.",
        ),
    ],
    position="top",
)
page.run()
