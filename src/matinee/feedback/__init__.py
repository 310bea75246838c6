"""Feedback events in a durable store: a file (SQLite) or a database (PostgreSQL)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
