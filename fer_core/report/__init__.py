"""A comparison to hand out: one HTML file that needs nothing else, and every table of it as CSV."""

from fer_core.report.document import write_report
from fer_core.report.tables import Findings, find, write_csv

__all__ = ["Findings", "find", "write_csv", "write_report"]
