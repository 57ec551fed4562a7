"""What tests import: a clock that moves by hand."""

from cfroute.testing.clock import ManualClock

__all__ = ["ManualClock"]
