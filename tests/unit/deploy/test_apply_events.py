"""What the record of an apply says of its steps."""

import json
from pathlib import Path

import pytest

from holdfast_orchestrator.deploy.work.apply_evidence import evidence_of


def line(address: str, id_key: str, id_value: str) -> str:
    kind, name = address.split(".")
    resource = {
        "addr": address,
        "module": "",
        "resource": address,
        "implied_provider": "aws",
        "resource_type": kind,
        "resource_name": name,
        "resource_key": None,
    }
    hook = {"resource": resource, "action": "create", "id_key": id_key, "id_value": id_value}
    return json.dumps({"@level": "info", "@message": "done", "type": "apply_complete", "hook": hook})


@pytest.mark.parametrize(
    ("id_key", "known"), [("id", "x"), ("name", None), ("tags.Name", None), ("title", None)]
)
def test_only_an_id_is_taken_for_one(tmp_path: Path, id_key: str, known: str | None) -> None:
    """Terraform tells the name where a type has no id; in the state such an object has none either."""
    record = tmp_path / "apply.jsonl"
    record.write_text(line("aws_s3tables_table_bucket.t", id_key, "x") + "\n")

    (step,) = evidence_of(record).steps

    assert step.id_value == known


def test_a_record_is_parsed_once_until_it_grows(tmp_path: Path) -> None:
    record = tmp_path / "apply.jsonl"
    record.write_text(line("aws_sns_topic.t", "id", "x") + "\n")
    first = evidence_of(record)

    assert evidence_of(record) is first

    with record.open("a") as more:
        more.write(line("aws_sns_topic.u", "id", "y") + "\n")
    assert [step.address for step in evidence_of(record).steps] == ["aws_sns_topic.t", "aws_sns_topic.u"]
