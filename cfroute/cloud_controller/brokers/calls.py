"""What brokers are asked for."""

from enum import Enum


class Call(Enum):
    """What a broker was asked for."""

    CATALOG = "catalog"
    PROVISION = "provision"
    UPDATE = "update"
    DEPROVISION = "deprovision"
    BIND = "bind"
    UNBIND = "unbind"
    LAST_OPERATION = "last_operation"
    FETCH = "fetch"
