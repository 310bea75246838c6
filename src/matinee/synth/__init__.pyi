from .generate import (
    Synthetic as Synthetic,
    SynthManifest as SynthManifest,
    read_manifest as read_manifest,
    synthesize as synthesize,
    write_synthetic as write_synthetic,
)
from .world import SynthConfig as SynthConfig, World as World
