"""How the settings tell each platform's client where and how to ask."""
