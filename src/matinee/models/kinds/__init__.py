"""The kinds of model: each module declares some by a tuple ``KINDS`` of ``registry.ModelKind``."""
