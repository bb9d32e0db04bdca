"""Good files of each kind, bombs, and the functions that read them for the pages and commands."""
