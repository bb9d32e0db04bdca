"""Charts: pure functions from data to one Plotly figure. They compute no metric."""
