"""Errors that a person reads."""


class NexusError(Exception):
    """Something a person can mend; the message is one line that says what and how.

    Commands print it and end with a failure; anything else that is raised is a defect.
    """
