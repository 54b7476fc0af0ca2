from typing import Any

import pytest

from holdfast_constructs.data._database_rules import Shape
from holdfast_constructs.data._parameters import all_parameters, apply_method
from holdfast_constructs.data._windows import OFFSETS, windows
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
    ("changes", "limit"),
    [
        ({"max_storage_gib": None}, 400),
        ({"max_storage_gib": None, "storage_gib": 60_000}, 0),
        ({"max_storage_gib": None, "storage_gib": 20_000}, 65_536),
        ({"max_storage_gib": 0}, 0),
        ({"max_storage_gib": 500}, 500),
    ],
)
def test_storage_may_grow_to_four_times_as_much_unless_it_is_said_otherwise(
    changes: dict[str, Any], limit: int
) -> None:
    assert _shape(**changes).limit_gib == limit


def test_a_version_that_costs_extra_is_taken_where_that_is_agreed_to() -> None:
    shape = _shape(engine_version="13.20", extended_support=True)

    assert (shape.major, shape.lifecycle_support) == ("13", "open-source-rds-extended-support")
    assert _shape().lifecycle_support == "open-source-rds-extended-support-disabled"


@pytest.mark.parametrize("name", ["db.t4g.micro", "db.r6g.large", "db.m8g.48xlarge", "db.m9g.large"])
def test_a_class_that_exists_or_may_come_next_is_taken(name: str) -> None:
    assert _shape(instance_class=name).instance_class == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instance_class": "t4g.micro"}, "instance_class must be an RDS class such as db.r6g.large"),
        ({"instance_class": "db.x99z.huge"}, "instance_class must be of a family of RDS for PostgreSQL"),
        ({"instance_class": "db.m4.large"}, "instance_class must be of a family of RDS for PostgreSQL"),
        ({"instance_class": "db.m10g.large"}, "instance_class must be of a family of RDS for PostgreSQL"),
        ({"instance_class": "db.r6g.huge"}, r"instance_class must be db.r6g. and one of large, xlarge, 2xl"),
        ({"instance_class": "db.t4g.4xlarge"}, "one of micro, small, medium, large, xlarge, 2xlarge, got"),
        ({"instance_class": "db.m9g.micros"}, "instance_class must be db.m9g. and one of"),
        ({"storage_gib": 19}, "storage_gib must be 20-65536, got 19"),
        ({"storage_gib": 65537}, "storage_gib must be 20-65536"),
        ({"storage_gib": 25, "max_storage_gib": 27}, "max_storage_gib must be 28-65536"),
        ({"max_storage_gib": 65537}, "max_storage_gib must be 110-65536"),
        ({"iops": 3000}, "iops must be left out below 400 GiB"),
        ({"throughput_mib": 500}, "throughput_mib must be left out below 400 GiB"),
        ({"storage_gib": 400, "iops": 11_999}, "iops must be 12000-64000"),
        ({"storage_gib": 400, "throughput_mib": 4001, "iops": 64_000}, "throughput_mib must be 500-4000"),
        ({"storage_gib": 100, "max_storage_gib": None, "iops": 64_000}, "iops must be left out"),
        ({"storage_gib": 400, "throughput_mib": 3001}, "throughput_mib must be at most 3000, a quarter"),
        ({"backup_days": 0}, "backup_days must be 1-35, got 0"),
        ({"backup_days": 36}, "backup_days must be 1-35"),
        (
            {"engine_version": "12.1"},
            "standard support of 12 ended on 2025-02-28.*extended support until 2028",
        ),
        ({"engine_version": "13"}, "standard support of 13 ended on 2026-02-28"),
        ({"engine_version": "10", "extended_support": True}, "engine_version must be 14-18"),
        ({"engine_version": "19"}, "engine_version must be 14-18: 16, or 16.4 to stay there, got '19'"),
        ({"engine_version": "16.4.1"}, "engine_version must be 14-18"),
    ],
)
def test_what_rds_does_not_offer_is_refused(changes: dict[str, Any], message: str) -> None:
    given = {"max_storage_gib": None} | changes if "storage_gib" in changes else changes

    with pytest.raises(ConstructError, match=message):
        _shape(**given)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-west-1", ("02:00-03:00", "sun:03:30-sun:04:30")),
        ("eu-central-1", ("02:00-03:00", "sun:03:30-sun:04:30")),
        ("us-east-1", ("07:00-08:00", "sun:08:30-sun:09:30")),
        ("us-west-2", ("10:00-11:00", "sun:11:30-sun:12:30")),
        ("ap-northeast-1", ("17:00-18:00", "sat:18:30-sat:19:30")),
        ("ap-southeast-6", ("14:00-15:00", "sat:15:30-sat:16:30")),
        ("xx-new-1", ("02:00-03:00", "sun:03:30-sun:04:30")),
    ],
)
def test_windows_are_at_night_where_the_region_is(region: str, expected: tuple[str, str]) -> None:
    assert windows(region, None, None) == expected


@pytest.mark.parametrize("region", sorted(OFFSETS))
def test_no_region_has_its_windows_while_people_work(region: str) -> None:
    backup, maintenance = windows(region, None, None)

    begin = (int(backup[:2]) + OFFSETS[region]) % 24
    end = (int(maintenance[-5:-3]) + OFFSETS[region]) % 24
    assert begin in {22, 23, 0, 1, 2, 3}
    assert end <= 6


@pytest.mark.parametrize(
    ("backup", "maintenance", "message"),
    [
        ("2:00-3:00", None, "backup_window must be in UTC, such as 02:00-03:00"),
        ("24:00-01:00", None, "backup_window must be in UTC"),
        ("02:00-02:15", None, "backup_window must be at least half an hour long"),
        (None, "03:30-04:30", "maintenance_window must be in UTC, such as sun:03:30-sun:04:30"),
        (None, "sun:03:30-sun:03:45", "maintenance_window must be half an hour to a day long"),
        (None, "sun:03:30-tue:03:45", "maintenance_window must be half an hour to a day long"),
        ("03:00-04:00", None, "backup_window must be at another time than the maintenance window sun:03:30"),
        ("23:30-00:30", "mon:00:00-mon:01:00", "backup_window must be at another time"),
        ("00:15-00:45", "sun:23:30-mon:00:30", "backup_window must be at another time"),
    ],
)
def test_windows_that_rds_does_not_take_are_refused(
    backup: str | None, maintenance: str | None, message: str
) -> None:
    with pytest.raises(ConstructError, match=message):
        windows("eu-west-1", backup, maintenance)


def test_windows_that_are_given_are_taken() -> None:
    assert windows("eu-west-1", "23:00-00:00", "mon:00:00-mon:01:00") == (
        "23:00-00:00",
        "mon:00:00-mon:01:00",
    )


def test_parameters_are_added_to_those_that_every_database_has() -> None:
    parameters = all_parameters({"work_mem": "65536", "log_min_duration_statement": "250"})

    assert parameters == {
        "log_connections": "1",
        "log_disconnections": "1",
        "log_lock_waits": "1",
        "log_min_duration_statement": "250",
        "log_statement": "ddl",
        "rds.force_ssl": "1",
        "work_mem": "65536",
    }


def test_a_parameter_that_is_read_at_the_start_waits_for_a_reboot() -> None:
    assert (apply_method("max_connections"), apply_method("work_mem")) == ("pending-reboot", None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rds.force_ssl": "0"}, "the parameter rds.force_ssl must be left at 1"),
        ({"log_statement": "none"}, "the parameter log_statement must be left at ddl"),
        ({"log_min_duration_statement": "-1"}, "must be a number of milliseconds"),
        ({"Work Mem": "1"}, "the name of a parameter must be as PostgreSQL writes it"),
        ({"work_mem": ""}, "the parameter work_mem must be a value"),
    ],
)
def test_a_parameter_that_would_weaken_it_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        all_parameters(given)
