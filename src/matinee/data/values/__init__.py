"""What a value of a table means: when two ids are one, and what a time counts."""
