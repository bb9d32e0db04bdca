"""Results to take along: a comparison of models as one HTML file, its tables and charts, and a card of each model."""

from fer_core.report.cards import FILE, model_readme, model_text
from fer_core.report.contents import build_report, write_csv
from fer_core.report.html import render, write_html
from fer_core.report.png import write_png

__all__ = ["FILE", "build_report", "model_readme", "model_text", "render", "write_csv", "write_html", "write_png"]
