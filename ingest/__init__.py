"""Talks to the platforms and to export files, and lands rows. Knows nothing of execution or api."""
