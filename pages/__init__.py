"""The pages: one short script each, and the few modules that they share."""
