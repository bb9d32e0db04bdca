"""The lecture: which screens it has, in which order, and what the lecturer says to each."""
