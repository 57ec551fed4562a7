"""The API without a foundation: nobody asks service brokers anything."""

from collections.abc import Sequence

from cfroute.cloud_controller.brokers.outcomes import Outcome
from cfroute.cloud_controller.brokers.subjects import Question
from cfroute.cloud_controller.errors import FOUNDATION_DOWN, ApiError


class NoBrokers:
    """While the foundation is down. No operation is planned without somebody to carry it out (see `present`)."""

    present = False

    async def begin(self, operations: Sequence[str]) -> None:
        """There are none."""

    async def ask(self, question: Question) -> Outcome:
        raise ApiError(FOUNDATION_DOWN)
