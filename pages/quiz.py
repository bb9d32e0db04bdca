"""You against the model: name the expression on ten faces, alone or with a class, and compare."""

import streamlit as st

from pages.parts.common import with_code
from pages.parts.data import fer2013
from pages.parts.head import head
from pages.parts.quiz import alone
from pages.parts.room import lecturer, room_in_url, student

head(
    "You against the model",
    "Name the expression on ten faces, alone or with a class. Then see the label, what ten annotators said and what "
    "models say.",
)

faces = fer2013()
if faces.missing:
    st.info(f"The quiz shows faces of FER2013. {with_code(faces.missing)}", icon=":material/database:")
    st.stop()

if not lecturer(faces):
    if code := room_in_url():
        student(faces, code)
    else:
        alone(faces)
