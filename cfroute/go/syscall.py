"""What the system says of a call that failed, as Go's messages have it."""


def reason(error: OSError) -> str:
    """The system's words, in lower case: `no such file or directory`."""
    return (error.strerror or str(error)).lower()
