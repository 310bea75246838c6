"""Model folders: safetensors, Parquet and JSON, checked byte by byte, free of pickle."""
