"""Answers from the published marts: parse -> validate -> build -> run."""
