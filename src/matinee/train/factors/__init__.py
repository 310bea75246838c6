"""Biased matrix factorisation by alternating least squares."""
