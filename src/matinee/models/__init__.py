"""The models, behind one small interface."""
