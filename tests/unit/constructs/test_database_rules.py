from typing import Any

import pytest

from holdfast_constructs.data._database_rules import Shape
from holdfast_constructs.errors import ConstructError


def _shape(**changes: Any) -> Shape:
    fields: dict[str, Any] = {
        "instance_class": "db.r6g.large",
        "storage_gib": 100,
        "max_storage_gib": 500,
        "multi_az": True,
        "backup_days": 14,
        "engine_version": "16",
    }
    return Shape(**(fields | changes))


def test_a_major_version_follows_its_minor_ones() -> None:
    shape = _shape(engine_version="16")

    assert (shape.major, shape.follows_minors) == ("16", True)


def test_a_minor_version_is_stayed_at() -> None:
    shape = _shape(engine_version="16.4")

    assert (shape.major, shape.follows_minors) == ("16", False)


def test_the_least_room_to_grow_is_a_tenth() -> None:
    shape = _shape(storage_gib=25, max_storage_gib=28)

    assert shape.max_storage_gib == 28


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instance_class": "t4g.micro"}, "instance_class must be an RDS class such as db.r6g.large"),
        ({"storage_gib": 19}, "storage_gib must be 20-65536, got 19"),
        ({"storage_gib": 65537}, "storage_gib must be 20-65536"),
        ({"storage_gib": 25, "max_storage_gib": 27}, "max_storage_gib must be 28-65536"),
        ({"max_storage_gib": 65537}, "max_storage_gib must be 110-65536"),
        ({"backup_days": 0}, "backup_days must be 1-35, got 0"),
        ({"backup_days": 36}, "backup_days must be 1-35"),
        ({"engine_version": "12.1"}, "engine_version must be 13-19"),
        ({"engine_version": "16.4.1"}, "engine_version must be 13-19"),
    ],
)
def test_what_rds_does_not_offer_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        _shape(**changes)
