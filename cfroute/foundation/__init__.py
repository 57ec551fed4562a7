"""Wires the components together: the address plan, secrets, certificates, configuration files, and the supervisor.

Nothing is imported before it is used: the nursery, which everything waits for, is a module of this package too.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfroute.foundation.preparation import Foundation, prepare

__all__ = ["Foundation", "prepare"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from cfroute.foundation import preparation

    return getattr(preparation, name)
