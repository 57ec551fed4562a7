"""`demo`: the route-service tutorial, played with the commands that a person would type, each step verified.

The steps are in `demo_steps`; here are the stage and the curtain.
"""

import contextlib
import tempfile
from collections.abc import Iterator

import msgspec

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.foundation import demo_steps
from cfroute.cli.foundation.demo_tour import StepFailed, Tour
from cfroute.cli.options import option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


class Played(msgspec.Struct):
    """What became of one step; `verified` says what was looked at, or what was wrong."""

    step: str
    passed: bool
    verified: list[str]
    seconds: float


@command(
    "demo",
    usage="cfroute demo [--keep]",
    notes="Uses the running foundation. If none runs, starts one in a temporary folder, and takes it down afterwards.\n"
    "Ends with status 0 only if every step was verified.",
    examples=("cfroute demo", "cfroute demo --json --quiet", "cfroute demo --keep"),
    see_also=("docs", "table", "up"),
    cf_shaped=False,
)
@option("--keep", is_flag=True, help="Leave the apps and the service where they are (in a running foundation)")
def demo(session: Session, keep: bool) -> list[Played]:
    played: list[Played] = []
    with _stage(session) as stage:
        tour = Tour(stage)
        try:
            for number, step in enumerate(demo_steps.STEPS, start=1):
                session.show(f"{number}. {render.name(step.title)}")
                session.show(f"   {step.explanation}")
                played.append(_play(session, tour, step))
                if not played[-1].passed:
                    break
        finally:
            tour.close()
            if not keep:
                demo_steps.tidy_up(tour)
    _conclude(session, played)
    return played


def _play(session: Session, tour: Tour, step: demo_steps.Step) -> Played:
    began = session.clock.monotonic()
    verified: list[str] = []
    passed = True
    try:
        for fact in step.play(tour):
            verified.append(fact)
            session.show(f"   {render.good('verified')}: {fact}")
    except CfrouteError as error:
        passed = False
        verified.append(error.message)
        session.warn(f"   {render.bad('not as it should be')}: {error.message}")
    session.show()
    return Played(step.title, passed, verified, round(session.clock.monotonic() - began, 3))


def _conclude(session: Session, played: list[Played]) -> None:
    if played[-1].passed:
        session.show(f"{render.good('OK')}: all {len(played)} steps were verified.")
        return
    if session.json:
        session.exit_code = StepFailed.exit_code  # the report tells what went wrong
        return
    raise StepFailed(f"step {len(played)} of {len(demo_steps.STEPS)} failed: {played[-1].verified[-1]}")


@contextlib.contextmanager
def _stage(session: Session) -> Iterator[Session]:
    """The running foundation, or one that exists for the demo alone."""
    session.need_local("the demo is played")
    if session.foundation.is_up():
        session.show(f"Playing on the foundation in {session.home.root}.")
        session.show()
        yield session
        return
    with tempfile.TemporaryDirectory(prefix="cfroute-demo-") as folder:
        stage = Session()
        stage.state_dir = folder
        stage.output, stage.quiet, stage.color = session.output, session.quiet, session.color
        tour = Tour(stage)
        session.show("No foundation is running: starting one in a temporary folder.")
        tour.cfroute("up", "--detach", "--http-port", "0", "--https-port", "0", "--api-port", "0", "--tcp-ports", "0")
        session.show()
        try:
            yield stage
        finally:
            session.show("Taking the foundation down.")
            tour.cfroute("down")
            session.show()
