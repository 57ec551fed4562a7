"""Asking the UAA what people are called."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from cfroute.cloud_controller.errors import ApiError
from cfroute.cloud_controller.uaa.names import Name, UaaNames
from cfroute.http_client import Unreachable
from cfroute.uaa.client import NoTokens
from cfroute.uaa.scim_filter import matches, parse

PEOPLE = [{"id": f"guid-{number}", "userName": f'us"er{number}', "origin": "uaa"} for number in range(120)]


@dataclass
class Uaa:
    """Answers each request with the next status, at last with 200."""

    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    body: bytes | None = None
    away: bool = False

    async def request(self, method: str, url: str, body: bytes = b"", headers: Any = ()) -> tuple[int, bytes]:
        if self.away:
            raise Unreachable("gone")
        self.asked.append(url)
        status = self.statuses.pop(0) if self.statuses else 200
        wanted = parse(parse_qs(urlsplit(url).query)["filter"][0])
        found = [each for each in PEOPLE if matches(wanted, each)]
        return status, self.body or msgspec.json.encode({"resources": found})


def names(uaa: Uaa) -> UaaNames:
    return UaaNames(uaa, "https://uaa.test", NoTokens())


def test_many_are_asked_for_some_at_a_time() -> None:
    uaa = Uaa()
    found = asyncio.run(names(uaa).of([each["id"] for each in PEOPLE] + ["nobody", "guid-1"]))
    assert found["guid-7"] == Name("guid-7", 'us"er7', "uaa")
    assert len(found) == 120
    assert len(uaa.asked) == 3
    assert max(map(len, uaa.asked)) < 8000
    assert asyncio.run(names(uaa).of([])) == {}


def test_by_name_and_origin() -> None:
    assert asyncio.run(names(Uaa()).called(['us"er1'])) == [Name("guid-1", 'us"er1', "uaa")]
    assert asyncio.run(names(Uaa()).called(['us"er1'], ["ldap"])) == []


def test_a_token_that_is_good_no_more_is_renewed_once() -> None:
    assert asyncio.run(names(Uaa([401])).called(["x"])) == []
    with pytest.raises(ApiError):
        asyncio.run(names(Uaa([401, 401])).called(["x"]))


@pytest.mark.parametrize("uaa", [Uaa([500]), Uaa([403]), Uaa(body=b"nonsense"), Uaa(away=True)])
def test_whatever_goes_wrong_the_uaa_is_away(uaa: Uaa) -> None:
    with pytest.raises(ApiError, match="The UAA service is currently unavailable"):
        asyncio.run(names(uaa).of(["x"]))
