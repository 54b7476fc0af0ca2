"""Which fetched modules are the same ones tomorrow."""

import pytest

from holdfast_orchestrator.terraform.module_calls import ModuleCall, module_call

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("terraform-aws-modules/vpc/aws", "5.1.2"),
        ("terraform-aws-modules/vpc/aws", "= 5.1.2"),
        ("app.terraform.io/acme/vpc/aws//modules/flow-log", "1.0.0-beta.1"),
        (f"git::https://example.com/vpc.git?ref={COMMIT}", ""),
        ("git::https://example.com/vpc.git//net?depth=1&ref=v1.2.3", ""),
        ("github.com/acme/vpc?ref=1.2.3", ""),
        ("git@github.com:acme/vpc.git?ref=v1.2.3", ""),
        (f"https://example.com/vpc.zip?checksum=sha256:{COMMIT}", ""),
    ],
)
def test_an_exact_version_a_commit_and_a_tag_are_pinned(source: str, version: str) -> None:
    call = ModuleCall(source=source, version=version)

    assert call.is_pinned
    assert call.unpinned == ""


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("terraform-aws-modules/vpc/aws", ""),
        ("terraform-aws-modules/vpc/aws", "~> 5.1"),
        ("terraform-aws-modules/vpc/aws", ">= 5.1.2"),
        ("terraform-aws-modules/vpc/aws", "5.1"),
        ("terraform-aws-modules/vpc/aws", "5.1.2, != 5.1.3"),
        ("git::https://example.com/vpc.git", ""),
        ("git::https://example.com/vpc.git?ref=main", ""),
        ("git::https://example.com/vpc.git?ref=v1", ""),
        ("git::https://example.com/vpc.git?ref=release/1.2.3", ""),
        (f"git::https://example.com/vpc.git?ref={COMMIT[:7]}", ""),
        # A version means nothing for a repository.
        ("github.com/acme/vpc", "1.2.3"),
        ("github.com/acme/vpc/aws", "1.2.3"),
        ("https://example.com/vpc-1.2.3.zip", ""),
        ("s3::https://s3.amazonaws.com/bucket/vpc.zip", ""),
    ],
)
def test_what_may_be_another_module_tomorrow_is_named(source: str, version: str) -> None:
    call = ModuleCall(source=source, version=version)

    assert not call.is_pinned
    assert source in call.unpinned
    assert "not pinned" in call.unpinned


@pytest.mark.parametrize("source", ["./a", "../a", "/repo/a"])
def test_a_folder_needs_no_pin(source: str) -> None:
    assert ModuleCall(source=source).unpinned == ""
    assert ModuleCall(source=source).is_local


@pytest.mark.parametrize("body", [{}, {"source": "${var.source}"}, {"source": ["./a"]}])
def test_a_source_that_is_not_written_out_is_said_to_be_so(body: dict[str, object]) -> None:
    assert module_call(body).unpinned == "calls a module whose source is not written out"
