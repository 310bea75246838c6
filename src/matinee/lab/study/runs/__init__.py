"""The runs of a study: what they train on, who runs them, and where records are kept."""
