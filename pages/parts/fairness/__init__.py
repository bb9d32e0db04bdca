"""Parts of the Fairness page."""
