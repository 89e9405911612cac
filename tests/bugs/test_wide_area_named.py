"""A wide area that is named for sure is taken, and only its parts are asked."""

from tests.town import founded


def test_a_building_nobody_knows_of_a_wide_area_is_asked_within_it(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        told = town.say("neighbour", "我住幸福社区99号楼，单元门的锁坏了")[-1]

        assert "幸福社区的哪一片" in told
        assert "第一网格" in told
