"""The pages of the app and their order.

Streamlit has an older multipage mode, in which it runs the files of a folder called `pages` without `app.py`. It ends
when a session calls `st.navigation`. A new server whose first visit is a link straight to a page is still in that mode.
Therefore this package calls `navigation` when it is first imported, and then runs `app.py` if a page was run alone.
"""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

PAGES: Final = (
    ("home", "Home", "home", "What FER Lab is, a prediction for the sample picture, and how good each model is."),
    ("tour", "Tour", "route", "One face from pixels to probabilities, step by step."),
    ("predict", "Predict", "ar_on_you", "The expression of every face in your pictures, and why the model says so."),
    ("live", "Live", "videocam", "The expression on your own face while you move, with a recording."),
    ("video", "Video", "movie", "Expressions over time in a video file, with the annotated video and a table."),
    ("compare", "Compare", "leaderboard", "Which model is best, how certain that is, and what an ensemble gains."),
    ("confusion", "Confusion", "grid_on", "Which expressions a model confuses, and the faces behind each number."),
    ("dataset", "Dataset", "dataset", "The faces of FER2013, what people say about them, and how good its labels are."),
    ("quiz", "Quiz", "quiz", "You against the model: name the expression on ten faces, alone or with a class."),
    ("lecture", "Lecture", "slideshow", "Twenty minutes for a class: one idea a screen, and a game for phones."),
    ("fairness", "Fairness", "balance", "For which faces and which people a model is right less often."),
    ("finetune", "Fine-tune", "model_training", "Train a model on FER2013 or on your own pictures."),
)
"""File and URL, title, icon and tooltip of each page."""


def navigation(hidden: bool = False) -> st.Page:
    """Show the navigation, unless it is to be hidden, and return the page that the browser asks for."""
    st.set_page_config(page_title="FER Lab", page_icon="🙂", layout="wide")
    pages = [
        st.Page(
            f"pages/{url}.py",
            title=title,
            icon=f":material/{icon}:",
            url_path=url,
            help=tip,
            default=url == "home",
            visibility="hidden" if url == "lecture" else "visible",  # Home and Present lead there; the menu is full
        )
        for url, title, icon, tip in PAGES
    ]
    return st.navigation(pages, position="hidden" if hidden else "top")


_alone = PagesManager.uses_pages_directory
navigation()
if _alone:
    st.rerun()
