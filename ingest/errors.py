"""Errors that a person reads."""


class NexusError(Exception):
    """Something a person can mend; the message is one line that says what and how.

    Commands print it and end with a failure; anything else that is raised is a defect.
    """


def first_line(error: BaseException) -> str:
    """What an error of a library or of the system says, in one line."""
    said = getattr(error, "strerror", None) or str(error)
    return next(filter(str.strip, str(said).splitlines()), type(error).__name__)
