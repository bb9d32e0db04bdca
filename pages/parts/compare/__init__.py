"""The sections of the Compare page, and the results that they show."""
