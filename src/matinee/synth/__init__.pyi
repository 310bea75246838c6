from .generate import (
    Synthetic as Synthetic,
)
from .generate import (
    SynthManifest as SynthManifest,
)
from .generate import (
    read_manifest as read_manifest,
)
from .generate import (
    synthesize as synthesize,
)
from .generate import (
    write_synthetic as write_synthetic,
)
from .world import SynthConfig as SynthConfig
from .world import World as World
