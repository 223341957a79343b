"""Training data: sources and their splits, tampering synthesis, the data set that feeds the trainer (torch)."""
