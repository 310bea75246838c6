"""Models at a prompt and in notebooks: progress of training, charts, parameters by name."""
