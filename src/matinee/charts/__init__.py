"""Charts as SVG text, for reports, docs and notebooks."""
