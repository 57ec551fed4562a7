"""Saying again what is gone: a message may have been lost, and a router must not send requests to nowhere for it."""

from collections.abc import Iterable

from cfroute.diego.route_emitter.messages import Registration

Key = tuple[object, ...]


class Unregistrations:
    """Keeps unregistrations until each was repeated `count` times, or its route is registered again."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._left: dict[Key, tuple[Registration, int]] = {}

    def __len__(self) -> int:
        return len(self._left)

    def add(self, messages: Iterable[Registration]) -> None:
        """These were sent for the first time."""
        if self._count > 0:
            self._left.update((message.key, (message, self._count)) for message in messages)

    def forget(self, messages: Iterable[Registration]) -> None:
        """These are registered again."""
        if self._left:
            for message in messages:
                self._left.pop(message.key, None)

    def due(self) -> list[Registration]:
        """What is to be sent once more now."""
        messages = [message for message, _ in self._left.values()]
        self._left = {key: (message, left - 1) for key, (message, left) in self._left.items() if left > 1}
        return messages
