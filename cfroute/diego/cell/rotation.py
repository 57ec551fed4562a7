"""When an instance's certificate is to be replaced: some time before its end, and not all of them at once."""

_HOUR = 3600.0
_LONG = 4 * _HOUR


def renewal(issued: float, validity: float, chance: float) -> float:
    """The time at which a certificate of `issued` that is valid for `validity` seconds is to be made anew.

    As in Diego: between an hour and 20 minutes before its end if it is valid for more than four hours, otherwise when a
    quarter to a twelfth of its time is left. `chance` (0 to 1) tells where between.
    """
    earliest, latest = (_HOUR, _HOUR / 3) if validity > _LONG else (validity / 4, validity / 12)
    return issued + validity - earliest + chance * (earliest - latest)
