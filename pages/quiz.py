"""You against the model: name the expression on ten faces, alone or with a class, and compare."""

import streamlit as st

from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FER2013
from fer_core.store.datasets import list_datasets
from pages.parts.common import choose, with_code
from pages.parts.data import fer2013
from pages.parts.head import head
from pages.parts.quiz import alone
from pages.parts.room import lecturer, room_in_url, student

head(
    "You against the model",
    "Name the expression on ten faces, alone or with a class. Then see the label, what ten annotators said and what "
    "models say.",
)

added = {dataset.name: dataset for dataset in list_datasets(EXPRESSIONS)}
if added and not room_in_url() and (of := choose("Faces", (FER2013, *added), "q_of")) in added:
    alone(added[of].tests_by_row(), of)
    st.stop()
faces = fer2013()
if faces.missing:
    st.info(f"The quiz shows faces of FER2013. {with_code(faces.missing)}", icon=":material/database:")
    st.stop()

if not lecturer(faces):
    if code := room_in_url():
        student(faces, code)
    else:
        alone(faces)
