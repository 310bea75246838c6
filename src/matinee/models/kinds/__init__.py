"""The kinds of model; each module declares its kinds in a tuple ``KINDS`` of ``ModelKind``."""
