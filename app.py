"""The app: opens the page that the browser asks for. See `pages/__init__.py` for the pages and their order."""

from pages import navigation
from pages.parts.head import frame
from pages.parts.presentation import presenting
from pages.parts.visitor import visit

page = navigation(hidden=presenting())
with frame():
    visit()
    page.run()
