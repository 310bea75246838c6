"""Interactive use: training progress, notebook HTML, scikit-learn parameters."""
