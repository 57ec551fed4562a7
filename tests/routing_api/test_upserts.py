"""What upserts do to the routes that are there."""

import pytest

from cfroute.routing_api.api import Event, ModificationTag
from cfroute.routing_api.tables import identity
from cfroute.routing_api.upserts import NewGuid, Row, upserted

from .examples import http, tcp

KEY = identity("sqlite")


def guids() -> NewGuid:
    made = iter(f"guid-{number}" for number in range(100))
    return lambda: next(made)


def test_a_new_route() -> None:
    changes = upserted({}, [tcp()], 1000.0, guids(), KEY)
    (row,) = changes.inserts
    assert (row.guid, row.expires_at, row.route.modification_tag) == ("guid-0", 1060.0, ModificationTag("guid-1", 0))
    assert changes.events == [Event("Upsert", row.route)]
    assert not changes.updates


@pytest.mark.statement("Routing API 6", "an upsert of a TCP route changes ttl and isolation segment, and not the instance")
def test_a_route_that_is_there() -> None:
    tag = ModificationTag("tag", 4)
    present = Row("guid", tcp(instance_id="old", isolation_segment="a", modification_tag=tag), 0.0)
    changes = upserted(
        {present.route.key: present}, [tcp(instance_id="new", ttl=10, sni_rewrite_hostname="s")], 1000.0, guids(), KEY
    )
    (row,) = changes.updates
    expected = tcp(instance_id="old", ttl=10, sni_rewrite_hostname="s", modification_tag=ModificationTag("tag", 5))
    assert (row.guid, row.expires_at, row.route) == ("guid", 1010.0, expected)
    assert not changes.inserts


@pytest.mark.statement("Routing API 6", "an upsert of an HTTP route changes `log_guid` where the new one says any")
def test_a_log_guid_is_kept_when_there_is_no_new_one() -> None:
    present = Row("guid", http(log_guid="old"), 0.0)
    for sent, kept in (("", "old"), ("new", "new")):
        changes = upserted({present.route.key: present}, [http(log_guid=sent)], 0.0, guids(), KEY)
        assert changes.updates[0].route.log_guid == kept


def test_twice_in_one_request() -> None:
    changes = upserted({}, [tcp(), tcp(ttl=5)], 0.0, guids(), KEY)
    (row,) = changes.inserts
    assert not changes.updates
    assert row.route.ttl == 5
    assert [event.route.modification_tag.index for event in changes.events] == [0, 1]
    present = {row.route.key: row}
    changes = upserted(present, [tcp(), tcp()], 0.0, guids(), KEY)
    assert [each.route.modification_tag.index for each in changes.updates] == [3]


def test_mysql_has_no_cases() -> None:
    fold = identity("mysql")
    assert fold(http(route="A.test")) == fold(http())
    assert KEY(http(route="A.test")) != KEY(http())
