"""The pages: one short script each, and the few modules that they share.

Streamlit's first multipage design still wakes up where a folder is called `pages`: if the first visit to a fresh server
is a link straight to a page, it runs that file without `app.py`, for everybody, until somebody opens the home page.
Importing this package, as each page does, turns that off and starts the visit again at the front door.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()
