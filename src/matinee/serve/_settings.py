"""``ServeSettings``: how a model is served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from ..config import Config


def _origin(text: str) -> str:
    """Return an origin as browsers send it: without a slash at the end, in lower case."""
    origin = text.removesuffix("/").lower()
    if re.fullmatch(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#\s]+", origin) is None:
        raise ValueError("an origin is a scheme and a host, as in https://films.example")
    return origin


class ServeSettings(Config):
    """How a model is served; the options of ``matinee serve`` are read off these fields."""

    model_config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False)

    model: Path
    """The model folder."""
    beside: Path | None = None
    """A second model, which serves a share of the people instead; see 'compare'."""
    share: float = Field(0.5, gt=0.0, lt=1.0)
    """Share of the people served by the second model, by a hash of their ids."""
    share_seed: int = Field(0, ge=0)
    """Seed of the share: another seed selects other people."""
    new_items: Path | None = None
    """A table of items (item, title, genres) unknown to the model, for --explore."""
    explore: float = Field(0.0, ge=0.0, le=0.5)
    """Share of the list positions given to new items."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all networks."""
    port: int = Field(8000, ge=0, le=65535)
    """Port; 0 for any that is free."""
    workers: int = Field(1, ge=1, le=256)
    """Number of server processes, each with its own copy of the model."""
    watch: float | None = Field(None, gt=0.0)
    """Look for a new model in the folder this often. SIGHUP does so at once."""
    api_key: SecretStr | None = None
    """API key, required as a bearer token or X-API-Key for /v1 and /metrics."""
    cors: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    """Allow requests of pages from this origin (CORS). May be given several times."""
    allowed_hosts: tuple[str, ...] = ()
    """Also accept this name in the Host header; * for any. May be given several times. By default
    a server on a loopback address accepts the names of this machine only, and one on any other
    address accepts every name."""
    things: str = Field("", max_length=40)
    """Plural noun for items on the pages, such as books; by default films if the titles
    have years, and items otherwise."""
    root_path: str = Field("", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    """The path below which a proxy shows the server, as in /films."""
    users: bool = True
    """Whether lists for the users of the training data may be requested."""
    feedback: SecretStr | None = None
    """Take feedback and keep it here: sqlite:PATH, or postgresql://HOST/DATABASE (with the extra
    'databases'; keep the password in ~/.pgpass)."""
    feedback_days: float | None = Field(None, gt=0.0)
    """Delete feedback that is older."""
    max_ratings: int = Field(1000, ge=1, le=10_000)
    """Largest number of ratings in a request."""
    max_body: int = Field(1 << 20, ge=1024)
    """Largest number of bytes of a request."""
    body_seconds: float = Field(10.0, gt=0.0)
    """Timeout of a request's headers, and of its body, in seconds."""
    shutdown_seconds: float = Field(10.0, ge=0.0)
    """Seconds to finish requests on shutdown."""

    @model_validator(mode="after")
    def _with_what_they_are_about(self) -> Self:
        """Refuse options that would have no effect."""
        if self.feedback_days is not None and self.feedback is None:
            raise ValueError("feedback_days is about a store of feedback; name it with feedback")
        fields = type(self).model_fields
        changed = any(getattr(self, n) != fields[n].default for n in ("share", "share_seed"))
        if changed and self.beside is None:
            raise ValueError("share is that of a second model; name it with beside")
        return self

    @property
    def is_local(self) -> bool:
        """Whether the server is reached from this machine only."""
        return self.host.lower() in ("localhost", "::1") or self.host.startswith("127.")
