"""``ServeSettings``: how a model is served."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from ..config import Config

OF_USER = {
    *("k", "diversity", "shrink", "love", "personal", "why", "exclude_genres", "years", "genres")
}
"""Options of a list for a known user."""


class ServeSettings(Config):
    """How a model is served."""

    model: Path
    """The model folder."""
    beside: Path | None = None
    """A second model folder, which answers a share of the people; see ``share``."""
    share: float = Field(0.5, gt=0.0, lt=1.0)
    """Share of the people that the model beside answers, by a hash of their ids."""
    share_seed: int = Field(0, ge=0)
    """Seed of that hash: another draws other people."""
    new_items: Path | None = None
    """A table of items that the model does not know, for exploration."""
    explore: float = Field(0.0, ge=0.0, le=0.5)
    """Share of the places of lists that such items take; none by default."""
    host: str = "127.0.0.1"
    """Address to listen at. The default is reachable from this machine only."""
    allowed_hosts: tuple[str, ...] = ()
    """Names in the Host header to answer to, besides those of this machine; ``*`` for all. By
    default a server at a loopback address answers to no others, and one at another address to
    all."""
    root_path: str = Field("", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    """The path below which a proxy shows the server, as in ``/films``."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen at; 0 for any that is free."""
    things: str = Field("", max_length=40)
    """What the pages call the items, in the plural, as in ``books``; by default films where the
    titles have years, and items otherwise."""
    workers: int = Field(1, ge=1, le=256)
    """Number of worker processes, each with its own copy of the model."""
    watch: float | None = Field(None, gt=0.0)
    """Seconds between checks of the folder for a new model; by default none (use SIGHUP)."""
    api_key: SecretStr | None = None
    """API key, required as a bearer token or X-API-Key for /v1 and /metrics."""
    cors: tuple[str, ...] = ()
    """Origins whose pages may call from a browser; none by default."""
    users: bool = True
    """Whether lists for the users of the training data may be asked for."""
    feedback: SecretStr | None = None
    """Where feedback is kept: sqlite:PATH or postgresql://HOST/DATABASE. None is taken by
    default."""
    feedback_days: float | None = Field(None, gt=0.0)
    """Days for which feedback is kept; unlimited by default."""
    max_ratings: int = Field(1000, ge=1, le=10_000)
    """Largest number of ratings in a request."""
    max_body: int = Field(1 << 20, ge=1024)
    """Largest body of a request in bytes."""
    body_seconds: float = Field(10.0, gt=0.0)
    """Timeout of a request's headers, and of its body, in seconds."""
    shutdown_seconds: float = Field(10.0, ge=0.0)
    """Seconds to finish requests when the server stops."""
