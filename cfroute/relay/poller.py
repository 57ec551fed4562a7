"""Tells sockets when they can be read or written, in batches, below the event loop.

A poller is itself a descriptor that is readable when something has happened. The event loop watches that one, and knows nothing
of the sockets: so a connection costs it nothing, and everything that happened in the meantime is done in one go.
"""

import select
import selectors
from collections.abc import Callable
from typing import Final

from cfroute.clock import Clock

READ: Final = 1
URGENT: Final = 2  # a reader stops there, although there is more
WRITE: Final = 4
ERROR: Final = 8
PEER_ENDED: Final = 0x2000  # Linux only
EDGES: Final = 0x80000000  # in a mask: what has been reported is not reported again, but after `again`
_BATCH: Final = 64  # events taken from the kernel at a time
_SPARE: Final = 64  # descriptors that may come without the list of watchers growing
_TURN: Final = 0.002  # seconds after which the event loop gets its turn


class Watched:
    """Something with a descriptor that a poller watches; fd is -1 once it is closed, mask is what it waits for."""

    __slots__ = ("fd", "mask")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.mask = 0

    def ready(self, events: int) -> None:
        """Some of READ, WRITE, ERROR and PEER_ENDED have happened."""

    def abandon(self) -> None:
        """A defect came to light while it was served: end it."""


class Poller:
    """What both kinds have in common. Without EDGES, or where there are none, what is not done is reported again."""

    def __init__(self, defective: Callable[[Watched, Exception], object], clock: Clock) -> None:
        self._watched: list[Watched | None] = []
        self._defective = defective
        self._monotonic = clock.monotonic

    def fileno(self) -> int:
        """The descriptor that the event loop is to watch; it then calls `collect`."""
        return -1

    def watch(self, one: Watched, mask: int) -> None:
        """Report these events from now on, and ERROR with them. A descriptor has one watcher, the latest."""

    def again(self, one: Watched) -> None:
        """Report once more what has been reported and is still so."""

    def leave(self, one: Watched) -> None:
        """Report nothing any more; its descriptor stays open."""

    def forget(self, one: Watched) -> None:
        """Report nothing any more; its descriptor is about to be closed."""

    def collect(self) -> None:
        """Tell everybody what has happened."""

    def close(self) -> None:
        """Give the descriptor back."""

    def _tell(self, fd: int, events: int) -> None:
        one = self._watched[fd]
        if one is None:  # closed by what happened before it in the same batch
            return
        try:
            one.ready(events)
        except Exception as defect:
            one.abandon()
            self._defective(one, defect)

    def _enter(self, one: Watched) -> bool:
        """Remember who watches a descriptor; whether there was nobody before."""
        fd, watched = one.fd, self._watched
        if fd >= len(watched):
            watched.extend([None] * (fd + 1 - len(watched) + _SPARE))
        new = watched[fd] is None
        watched[fd] = one
        return new

    def _drop(self, one: Watched) -> bool:
        """Forget who watches; whether there was somebody."""
        fd = one.fd
        if not 0 <= fd < len(self._watched) or self._watched[fd] is None:
            return False
        self._watched[fd] = None
        return True


class EpollPoller(Poller):
    """Linux's."""

    def __init__(self, defective: Callable[[Watched, Exception], object], clock: Clock) -> None:
        super().__init__(defective, clock)
        self._epoll = select.epoll()
        self._poll = self._epoll.poll

    def fileno(self) -> int:
        return self._epoll.fileno()

    def watch(self, one: Watched, mask: int) -> None:
        one.mask = mask
        if self._enter(one):
            self._epoll.register(one.fd, mask)
        else:
            self._epoll.modify(one.fd, mask)

    def again(self, one: Watched) -> None:
        self._epoll.modify(one.fd, one.mask)

    def leave(self, one: Watched) -> None:
        if self._drop(one):
            one.mask = 0
            self._epoll.unregister(one.fd)

    def forget(self, one: Watched) -> None:
        self._drop(one)  # closing it takes it out of the kernel's list

    def collect(self) -> None:
        until = self._monotonic() + _TURN
        while happened := self._poll(0, _BATCH):
            for fd, events in happened:
                self._tell(fd, events)
            if self._monotonic() >= until:
                return

    def close(self) -> None:
        self._epoll.close()


class SelectorPoller(Poller):
    """Where there is no epoll: kqueue, through the standard library."""

    def __init__(self, defective: Callable[[Watched, Exception], object], clock: Clock) -> None:
        super().__init__(defective, clock)
        self._selector = selectors.DefaultSelector()

    def fileno(self) -> int:
        return self._selector.fileno()

    def watch(self, one: Watched, mask: int) -> None:
        events = (selectors.EVENT_READ if mask & READ else 0) | (selectors.EVENT_WRITE if mask & WRITE else 0)
        if not events:
            self.leave(one)
        elif self._enter(one):
            self._selector.register(one.fd, events)
        else:
            self._selector.modify(one.fd, events)
        one.mask = mask

    def leave(self, one: Watched) -> None:
        one.mask = 0
        if self._drop(one):
            self._selector.unregister(one.fd)

    def forget(self, one: Watched) -> None:
        self.leave(one)

    def collect(self) -> None:
        for key, events in self._selector.select(0):
            read = READ if events & selectors.EVENT_READ else 0
            self._tell(key.fd, read | (WRITE if events & selectors.EVENT_WRITE else 0))

    def close(self) -> None:
        self._selector.close()


def best_poller(defective: Callable[[Watched, Exception], object], clock: Clock) -> Poller:
    """The fastest that this system has. defective is told of exceptions in `ready` that should not be."""
    return EpollPoller(defective, clock) if hasattr(select, "epoll") else SelectorPoller(defective, clock)
