"""The app: opens the page that the browser asks for. See `pages/__init__.py` for the pages and their order."""

from pages import navigation
from pages.parts.charts import watch_width

page = navigation()
watch_width()
page.run()
