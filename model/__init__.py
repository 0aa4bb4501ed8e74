"""The generator: a character-level recurrent network, its training, its sampling and its measures."""
