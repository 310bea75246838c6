"""Model folders: safetensors, Parquet and JSON with checksums, without pickle."""
