"""Which tweet is real? The game, its database, its jobs and its pages."""
