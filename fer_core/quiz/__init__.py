"""The quiz: people name the expression on ten faces and compare themselves with the label, annotators and models."""
