"""The log cache: what apps and the components that serve them said, one append-only file an app.

    <folder>/<app guid>.log      one JSON object a line, see Envelope
    <folder>/<app guid>.log.1    the older half, once the file has reached 4 MiB

Many processes write to the same file (cells, staging, the Cloud Controller): each line is one write to a
descriptor opened for appending, so lines never mix. Readers need nobody's help, whether the writers run or
not.
"""

from cfroute.log_cache.reader import follow, read
from cfroute.log_cache.writer import Envelope, LogWriter, remove

__all__ = ["Envelope", "LogWriter", "follow", "read", "remove"]
