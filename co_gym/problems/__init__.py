"""The problems: one file each, registered in the entry-point group `co_gym.problems`."""
