"""The app: opens the page that the browser asks for. See `pages/__init__.py` for the pages and their order."""

import logging

import streamlit as st

from fer_core.extras import extras
from fer_core.types import FerError, reason
from pages import navigation
from pages.parts.common import with_code
from pages.parts.head import frame
from pages.parts.stage import SCREEN
from pages.parts.visitor import visit

page = navigation(hidden=SCREEN in st.query_params)
with frame(page.url_path or "home"):
    visit()
    try:
        with extras():
            page.run()
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
    except OSError as error:
        logging.getLogger(__name__).exception("A page ended early.")
        words = f"A file cannot be read or written ({reason(error)}). Check the disk of FER Lab's computer."
        st.error(with_code(words), icon=":material/error:")
