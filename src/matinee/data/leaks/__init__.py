"""Whether test ratings were trained on, under the same ids or under others."""
