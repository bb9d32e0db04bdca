"""The app: opens the page that the browser asks for. See `pages/__init__.py` for the pages and their order."""

from pages import navigation

navigation().run()
