"""What a run does: collect, import, build, publish."""
