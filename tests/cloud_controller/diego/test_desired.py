"""What Diego is told, as a function of what is wanted."""

from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.diego.desired import Mapping, Run, Started, changes, desired_lrp, routing
from cfroute.diego.api import DesiredLRP


def test_routing_info_in_the_shape_that_the_emitter_reads() -> None:
    info = routing(
        [
            Mapping("a.test/p", 8080, "http2", {"loadbalancing": "least-connection"}, "https://rs.test"),
            Mapping("b.test", 9090),
            Mapping("tcp.test", 8080, "tcp", router_group="g", external_port=1024),
            Mapping("i.apps.internal", internal=True),
        ]
    )
    assert info == {
        "cf-router": [
            {
                "hostnames": ["a.test/p"],
                "port": 8080,
                "route_service_url": "https://rs.test",
                "protocol": "http2",
                "options": {"loadbalancing": "least-connection"},
            },
            {"hostnames": ["b.test"], "port": 9090, "route_service_url": "", "protocol": "http1", "options": {}},
        ],
        "tcp-router": [{"router_group_guid": "g", "external_port": 1024, "container_port": 8080}],
        "internal-router": [{"hostname": "i.apps.internal"}],
    }
    assert routing([]) == {}


def test_the_balance_of_a_hash_is_a_number_for_the_router() -> None:
    options = {"loadbalancing": "hash", "hash_header": "X-Tenant"}
    for written in ("1.25", 1.25):
        (route,) = routing([Mapping("a.test", options={**options, "hash_balance": written})])["cf-router"]
        assert route["options"] == {**options, "hash_balance": 1.25}
    (route,) = routing([Mapping("a.test", options=options)])["cf-router"]
    assert route["options"] == options


def test_an_lrp_is_named_by_process_and_version() -> None:
    lrp = desired_lrp(Started("p", "v", "a", "web", 2, Run("d", "run"), (Mapping("a.test"),)), "https://cc:9023")
    assert (lrp.process_guid, lrp.instances, lrp.command) == ("p-v", 2, "run")
    assert lrp.droplet_url == "https://cc:9023/internal/v4/droplets/d/download"


def test_only_what_differs_is_told() -> None:
    old = DesiredLRP("p-1", "a", 1, "u", "run")
    scaled = DesiredLRP("p-1", "a", 2, "u", "run", routes={"cf-router": []})
    (change,) = changes([old], [scaled])
    assert (change.update, change.fields) == ("p-1", {"instances": 2, "routes": {"cf-router": []}})
    first, second = changes([old], [DesiredLRP("p-2", "a", 1, "u", "run")])
    assert first.remove == "p-1"
    assert second.desire is not None
    assert second.desire.process_guid == "p-2"


lrps = st.dictionaries(st.sampled_from(["p-1", "p-2", "q-1"]), st.integers(0, 2)).map(
    lambda wanted: {guid: DesiredLRP(guid, "a", instances, "u", "run") for guid, instances in wanted.items()}
)


@given(lrps, lrps)
def test_following_the_changes_leads_to_what_is_wanted(known: dict[str, DesiredLRP], wanted: dict[str, DesiredLRP]) -> None:
    told = dict(known)
    for change in changes(known.values(), wanted.values()):
        if change.remove:
            del told[change.remove]
        elif change.desire:
            assert change.desire.process_guid not in told
            told[change.desire.process_guid] = change.desire
        else:
            before = told[change.update]
            told[change.update] = DesiredLRP(
                change.update, before.app_guid, change.fields["instances"], before.droplet_url, before.command
            )
    assert told == wanted
    assert changes(wanted.values(), wanted.values()) == []
