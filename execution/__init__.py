"""Runs collection, builds and publication, and remembers what must survive between runs."""
