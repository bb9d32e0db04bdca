"""Sections of results that pages and the report show, the report as one HTML file, CSV and PNG, and model cards."""
