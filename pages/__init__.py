"""The pages of the app and their order.

Streamlit has an older multipage mode, in which it runs the files of a folder called `pages` without `app.py`. It ends
when a session calls `st.navigation`. A new server whose first visit is a link straight to a page is still in that mode.
Therefore this package calls `navigation` when it is first imported.
"""

from __future__ import annotations

import streamlit as st


def navigation() -> st.Page:
    """Show the navigation and return the page that the browser asks for."""
    st.set_page_config(page_title="FER Lab", page_icon="🙂", layout="wide")
    return st.navigation(
        [
            st.Page(
                "pages/home.py",
                title="Home",
                icon=":material/home:",
                help="What FER Lab is, a prediction for the sample picture, and how good each model is.",
                default=True,
            ),
            st.Page(
                "pages/predict.py",
                title="Predict",
                icon=":material/ar_on_you:",
                help="The expression of every face in your pictures, why the model says so, and how edits change it.",
            ),
            st.Page(
                "pages/live.py",
                title="Live camera",
                icon=":material/videocam:",
                url_path="live",
                help="The expression on your own face while you move, with the last minute as a chart and a recording.",
            ),
            st.Page(
                "pages/video.py",
                title="Video",
                icon=":material/movie:",
                url_path="video",
                help="Expressions over time in a video file, with the annotated video and a table to download.",
            ),
            st.Page(
                "pages/compare.py",
                title="Compare models",
                icon=":material/leaderboard:",
                url_path="compare",
                help="Which model is best, how certain that is, and what an ensemble of models gains.",
            ),
            st.Page(
                "pages/confusion.py",
                title="Confusion",
                icon=":material/grid_on:",
                help="Which expressions a model confuses, and the faces behind each number.",
            ),
            st.Page(
                "pages/finetune.py",
                title="Fine-tune",
                icon=":material/model_training:",
                url_path="finetune",
                help="Train a model on FER2013 or on your own pictures, watch it learn, and use it on every page.",
            ),
        ],
        position="top",
    )


navigation()
