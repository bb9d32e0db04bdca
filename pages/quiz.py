"""You against the model: name the expression on ten faces, alone or with a class, and compare."""

import streamlit as st

from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rooms import tidy_code
from fer_core.quiz.rounds import FER2013
from fer_core.store.datasets import list_datasets
from pages.parts.common import choose
from pages.parts.head import head
from pages.parts.quiz import alone
from pages.parts.room import student

if code := tidy_code(st.query_params.get("q_room", "")):
    student(code)
    st.stop()
head(
    "You against the model",
    "Name the expression on ten faces, alone or with a class. After each answer you see the label, what ten annotators "
    "said and what a model says.",
)
added = [dataset.name for dataset in list_datasets(EXPRESSIONS)]
alone(choose("Faces", (FER2013, *added), "q_of") if added else FER2013)
