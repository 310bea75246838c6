"""From predictions to lists: fold-in, titles, top-k, tables."""
