import pytest

from cfroute.diego.bbs.auction import Bidder, NoBidder, place_instance, place_task


def test_instances_of_a_process_spread_over_the_cells() -> None:
    cells = [Bidder("a"), Bidder("b"), Bidder("c")]
    cells[0].carry("other", 0)

    assert [place_instance(cells, "p", 0).cell_id for _ in range(4)] == ["b", "c", "a", "b"]


def test_a_cell_without_the_memory_gets_nothing() -> None:
    cells = [Bidder("a", free_mb=100), Bidder("b", free_mb=300)]

    assert [place_instance(cells, "p", 100).cell_id for _ in range(4)] == ["a", "b", "b", "b"]
    with pytest.raises(NoBidder, match="insufficient resources: memory"):
        place_instance(cells, "p", 1)


def test_without_cells_nothing_is_placed() -> None:
    with pytest.raises(NoBidder, match="found no compatible cell"):
        place_instance([], "p", 0)
    with pytest.raises(NoBidder):
        place_task([])


def test_tasks_go_to_the_cell_with_the_fewest() -> None:
    cells = [Bidder("a"), Bidder("b")]
    cells[0].carry("p", 0)

    assert [place_task(cells).cell_id for _ in range(3)] == ["b", "a", "b"]
