"""Honest scores: metrics, intervals, baselines beside them, and the leak guard."""
