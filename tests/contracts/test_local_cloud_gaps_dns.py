"""The gaps of Route 53.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes


def zone(clients: Clients, name: str) -> str:
    created = clients("route53").create_hosted_zone(Name=name, CallerReference=name)
    return str(created["HostedZone"]["Id"])


def change(clients: Clients, zone_id: str, action: str, name: str, identifier: str | None) -> None:
    record: dict[str, Any] = {
        "Name": name,
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "10.0.0.1"}],
    }
    if identifier is not None:
        record |= {"SetIdentifier": identifier, "Weight": 1}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    clients("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def records(clients: Clients, zone_id: str) -> list[tuple[str, str | None]]:
    found = clients("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return sorted((each["Name"], each.get("SetIdentifier")) for each in found if each["Type"] == "A")


def records_of_one_identifier_and_of_one_name(clients: Clients) -> object:
    id_ = zone(clients, "gaps.test")
    for name, identifier in (("a", "one"), ("b", "one"), ("a", "two")):
        change(clients, id_, "CREATE", f"{name}.gaps.test", identifier)
    change(clients, id_, "DELETE", "a.gaps.test", "one")
    return records(clients, id_)


def a_record_that_was_there_before(clients: Clients) -> object:
    id_ = zone(clients, "again.test")
    for action, name in (("CREATE", "a"), ("CREATE", "b"), ("DELETE", "a"), ("CREATE", "a")):
        change(clients, id_, action, f"{name}.again.test", name)
    return records(clients, id_)


@pytest.mark.parametrize(("there", "new"), [("one", "one"), ("one", None), (None, "one"), (None, None)])
def test_a_record_that_is_there_is_not_created(
    local_clients: Clients, there: str | None, new: str | None
) -> None:
    id_ = zone(local_clients, f"{there}-{new}.test".lower())
    change(local_clients, id_, "CREATE", f"a.{there}-{new}.test".lower(), there)

    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        change(local_clients, id_, "CREATE", f"a.{there}-{new}.test".lower(), new)


PROBES: Probes = {
    records_of_one_identifier_and_of_one_name: (
        [("a.gaps.test.", "two"), ("b.gaps.test.", "one")],
        "route53_records",
    ),
    a_record_that_was_there_before: ([("a.again.test.", "a"), ("b.again.test.", "b")], "route53_records"),
}


class TestGaps(Gaps):
    probes = PROBES
