"""What is targeted, as far as commands look at it before they say or ask anything."""

from cfroute.cli.settings import Endpoint, Settings, save
from cfroute.home import Home

from .conftest import Run

OF_AN_ORG = (
    "check-route apps.example.com",
    "delete-private-domain apps.example.com",
    "delete-route apps.example.com",
    "delete-shared-domain apps.example.com",
    "route apps.example.com",
)
OF_A_SPACE = (
    "delete web",
    "delete-orphaned-routes",
    "delete-service limits",
    "delete-service-key limits key",
    "map-route web apps.example.com",
    "move-route apps.example.com -s dev",
    "purge-service-instance limits",
    "unbind-route-service apps.example.com limits",
    "unmap-route web apps.example.com",
    "unshare-service limits -s dev",
    "update-destination web apps.example.com",
    "update-route apps.example.com",
    "update-user-provided-service limits -p user,password",
    "upgrade-service limits",
)
OF_NOBODY = (
    "create-service-broker flow broker https://flow.example.com",
    "create-user bob --password-prompt",
    "delete-org acme",
    "delete-org-quota small",
    "delete-service-broker flow",
    "delete-space dev -o acme",
    "delete-user bob",
    "purge-service-offering flow",
    "unshare-private-domain acme apps.example.com",
    "update-service-broker flow broker https://flow.example.com",
)


def test_whoever_has_not_logged_in_is_told_first(cfroute: Run, home: Home) -> None:
    """Before a server is asked for anything; there is none."""
    nowhere = "http://127.0.0.1:1"
    save(home, Settings(endpoint=Endpoint(nowhere, nowhere, nowhere)))
    for line in (*OF_NOBODY, *OF_AN_ORG, *OF_A_SPACE):
        told = "Not logged in. Use 'cfroute login' or 'cfroute login --sso' to log in.\n"
        assert cfroute(*line.split(), typed="y\n") == (1, "FAILED\n", told), line


def test_what_is_not_targeted_is_told_first(cfroute: Run) -> None:
    cfroute("target", "-o", "nope")
    for line in OF_AN_ORG:
        told = "No org targeted, use 'cfroute target -o ORG' to target an org.\n"
        assert cfroute(*line.split()) == (1, "FAILED\n", told), line
    assert cfroute("create-org", "acme").status == cfroute("target", "-o", "acme").status == 0
    for line in OF_A_SPACE:
        told = "No space targeted, use 'cfroute target -s SPACE' to target a space.\n"
        assert cfroute(*line.split()) == (1, "FAILED\n", told), line
