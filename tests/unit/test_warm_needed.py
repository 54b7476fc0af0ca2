import json

from holdfast_orchestrator.engine.warm.needed import types_of, words_of


def words(document: object) -> frozenset[str]:
    return words_of(json.dumps(document).encode())


def test_types_are_found_wherever_a_configuration_may_name_them() -> None:
    found = words(
        {
            "resource": {"aws_sqs_queue": {"q": {"name": "${data.aws_region.here.name}"}}},
            "ephemeral": [{"aws_secretsmanager_secret_version": {"s": {}}}],
            "moved": [{"from": "aws_old.a", "to": "aws_new.a"}],
            "import": [{"to": "aws_imported.b", "id": "b"}],
            "removed": [{"from": "aws_removed.c"}],
            "output": {"o": {"value": "${provider::aws::arn_parse(var.arn).account}"}},
        }
    )

    assert {
        "aws_sqs_queue",
        "aws_region",
        "aws_secretsmanager_secret_version",
        "aws_old",
        "aws_new",
        "aws_imported",
        "aws_removed",
        "arn_parse",
    } <= found


def test_a_name_written_with_escapes_is_found() -> None:
    assert "aws_sqs_queue" in words_of(rb'{"resource": {"aws_sq\u0073_queue": {}}}')


def test_the_types_of_a_state_are_those_of_its_objects_data_sources_too() -> None:
    state = {"resources": [{"type": "aws_a", "mode": "managed"}, {"type": "aws_b", "mode": "data"}]}

    assert types_of(state) == {"aws_a", "aws_b"}
    assert types_of({}) == frozenset()
