"""What pages, the report and the lecture show: sections of results, model cards, and the screens of the lecture."""
