"""What the pages are made of: a file for each page that needs one, a folder for each page that needs more."""
