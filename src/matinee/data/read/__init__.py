"""From any source to one checked table: files, archives, frames, queries."""
