"""Models measured on datasets: test splits, hold-out and degraded faces."""
