"""A comparison of models as one HTML file, and its tables as CSV."""

from fer_core.report.contents import build_report, write_csv
from fer_core.report.html import write_html

__all__ = ["build_report", "write_csv", "write_html"]
