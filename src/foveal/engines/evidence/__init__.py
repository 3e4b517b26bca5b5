"""The embedded default: answers from what perception found, with rules and a small language model."""
