"""A comparison of models as one HTML file, its tables as CSV, and its charts as pictures."""

from fer_core.report.contents import build_report, write_csv
from fer_core.report.html import render, write_html
from fer_core.report.png import write_png

__all__ = ["build_report", "render", "write_csv", "write_html", "write_png"]
