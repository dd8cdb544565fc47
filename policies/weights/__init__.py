"""Weights on disk: the card that describes them, reading, writing, and making them from a checkpoint."""
