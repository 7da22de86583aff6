"""The stand-in LinkedIn and X server, for the demo and the tests only."""
