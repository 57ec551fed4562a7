"""What reading JSON that somebody else has written may raise.

    try:
        value = msgspec.json.decode(body, type=Wanted)
    except UNREADABLE as error:

Text that is no UTF-8 and brackets without end are not among what msgspec calls its errors.
"""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
