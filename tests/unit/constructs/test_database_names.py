"""Names that RDS or PostgreSQL keep for themselves are refused while the app is synthesized."""

import pytest

from holdfast_constructs.data._database_rules import checked_database, checked_user
from holdfast_constructs.errors import ConstructError


@pytest.mark.parametrize(
    "name", ["user", "order", "default", "table", "left", "rdsadmin", "template1", "db-2024", "2024", ""]
)
def test_rds_would_refuse_a_database_of_this_name(name: str) -> None:
    with pytest.raises(ConstructError, match="database must be"):
        checked_database(name)


@pytest.mark.parametrize("name", ["orders", "users", "order_app", "postgres", "value", "name", "x" * 63])
def test_other_names_are_taken_as_they_are(name: str) -> None:
    assert checked_database(name) == name


@pytest.mark.parametrize("name", ["postgres", "pg_monitor", "user", "rds_iam", "public"])
def test_a_role_that_nobody_can_create_is_refused(name: str) -> None:
    with pytest.raises(ConstructError, match="user must be"):
        checked_user(name)


def test_the_refusal_says_what_to_write_instead() -> None:
    with pytest.raises(ConstructError, match=r"got 'order'; database='order_app', for example"):
        checked_database("order")
