"""Checkov can read what is synthesized, and each of its findings there is an exception with a reason.

Checkov itself is not needed here: `python tools/checkov.py` runs it.
"""

import runpy
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.example_settings import ENVIRONMENTS, example, parse_environment

from holdfast_constructs.testing import Synthesis, synthesize_into

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "checkov.py"), run_name="tool")
MOST_EXCEPTIONS = 8
# The parser takes these apart in a way of its own; of all other blocks it takes objects in an object only.
TAKEN_APART = ("//", "data", "locals", "provider", "resource")


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    from holdfast_constructs.project.main import build  # noqa: PLC0415 - loads jsii
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415 - the same

    env = parse_environment(example("prod"), ENVIRONMENTS / "prod.toml")
    stacks = registrations("holdfast_stacks")
    return synthesize_into(tmp_path_factory.mktemp("prod"), lambda app: build(app, stacks, [env]))


def _unreadable(configuration: Mapping[str, Any]) -> Iterator[str]:
    for block, entries in configuration.items():
        for name, entry in entries.items() if block not in TAKEN_APART else ():
            if not isinstance(entry, Mapping):
                yield f"{block}.{name}"


def test_checkov_s_parser_can_read_every_stack(prod: Synthesis) -> None:
    unreadable = [
        f"{name}: {block}"
        for name, template in prod.templates.items()
        for block in _unreadable(template.configuration)
    ]

    assert unreadable == []


def test_a_text_in_the_block_terraform_is_what_the_parser_cannot_read() -> None:
    assert [*_unreadable({"terraform": {"backend": {"s3": {}}, "required_version": ">= 1.10"}})] == [
        "terraform.required_version"
    ]


def test_a_key_s_policy_is_read_as_the_policy_of_a_key(prod: Synthesis) -> None:
    keys = [key for template in prod.templates.values() for key in template.resources("aws_kms_key").values()]

    assert keys
    assert all(key["policy"].startswith('{"Statement": ') for key in keys)


def test_exceptions_are_few_and_each_has_a_reason_an_owner_and_an_end() -> None:
    waivers = TOOL["waivers"]()

    assert 0 < len({waiver.check for waiver in waivers}) <= MOST_EXCEPTIONS
    for waiver in waivers:
        assert len(waiver.reason) > 40
        assert waiver.owner
        assert waiver.since < waiver.expires <= waiver.since + timedelta(days=365)


def test_an_exception_is_for_something_that_prod_has(prod: Synthesis) -> None:
    addresses = [address for template in prod.templates.values() for address in template.addresses()]

    for waiver in TOOL["waivers"]():
        names = [*addresses, *(address.partition(".")[2] for address in addresses)]
        assert any(waiver.covers(waiver.check, name) for name in names), waiver.check


WAIVER = TOOL["Waiver"](
    check="CKV_1",
    resource=r"aws_s3_bucket\.logs",
    reason="It holds logs.",
    owner="team",
    since=date(2026, 1, 1),
    expires=date(2026, 12, 1),
)


@pytest.mark.parametrize(
    ("failed", "parsing_errors", "today", "told"),
    [
        ([("CKV_1", "aws_s3_bucket.logs")], 0, date(2026, 12, 1), []),
        ([("CKV_1", "aws_s3_bucket.logs")], 1, date(2026, 6, 1), ["cannot read"]),
        ([("CKV_1", "aws_s3_bucket.logs")], 0, date(2026, 12, 2), ["was an exception until 2026-12-01"]),
        ([("CKV_1", "aws_s3_bucket.more-logs")], 0, date(2026, 6, 1), ["no exception", "no longer fails"]),
        ([("CKV_2", "aws_s3_bucket.logs")], 0, date(2026, 6, 1), ["no exception", "no longer fails"]),
    ],
)
def test_what_is_no_exception_any_more_is_told(
    failed: list[tuple[str, str]], parsing_errors: int, today: date, told: list[str]
) -> None:
    report = {
        "summary": {"parsing_errors": parsing_errors},
        "results": {"failed_checks": [{"check_id": check, "resource": name} for check, name in failed]},
    }

    complaints = [*TOOL["complaints"](report, [WAIVER], today)]

    assert len(complaints) == len(told)
    assert all(part in complaint for part, complaint in zip(told, complaints, strict=True))
