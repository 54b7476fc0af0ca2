"""Records of one name that are told apart by their SetIdentifier.

moto 5.2.1 deletes every record of a zone that has the SetIdentifier, whatever its name, and refuses to
create a record that was there once, if a later one in the order of names is there.
AWS knows a record by name, type and SetIdentifier: it deletes exactly that one, and refuses to create one
that is there, or one without SetIdentifier beside one that has it.
So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, wrap

_Key = tuple[str, str, str | None]


def close() -> None:
    """Delete and create by name, type and SetIdentifier."""
    models = moto("route53.models")

    @wrap(models.FakeZone, "delete_rrset_by_id")
    def delete(_: Any, self: Any, set_identifier: str) -> None:
        gone = memory(self, "deleted").get(set_identifier, frozenset())
        self.rrsets = [each for each in self.rrsets if _key_of(each) not in gone]

    @wrap(models.Route53Backend, "change_resource_record_sets")
    def change(original: Any, self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> Any:
        zone = self.get_hosted_zone(zoneid)
        deleted = {_key(each["ResourceRecordSet"]) for each in change_list if each["Action"] == "DELETE"}
        for each in change_list:
            if each["Action"] == "CREATE":
                _refuse_existing(zone, each["ResourceRecordSet"], deleted)
                _forget(zone, each)
        by_id = memory(zone, "deleted")
        for key in deleted:
            by_id[key[2]] = by_id.get(key[2], frozenset()) | {key}
        try:
            return original(self, zoneid, change_list)
        finally:
            for key in deleted:
                by_id[key[2]] = by_id[key[2]] - {key}


def _refuse_existing(zone: Any, wanted: Mapping[str, Any], deleted: set[_Key]) -> None:
    name, kind, identifier = _key(wanted)
    for existing in map(_key_of, zone.rrsets):
        if existing in deleted or existing[:2] != (name, kind):
            continue
        if existing[2] == identifier or None in {existing[2], identifier}:
            raise moto("route53.exceptions").ResourceRecordAlreadyExists(name=f"{name}.", _type=kind)


def _forget(zone: Any, change: Mapping[str, Any]) -> None:
    """Take an equal change out of what moto remembers: the record it created is gone."""
    key = _key(change["ResourceRecordSet"])
    zone.rr_changes[:] = [
        each
        for each in zone.rr_changes
        if each["Action"] != "CREATE" or _key(each["ResourceRecordSet"]) != key
    ]


def _key(record: Mapping[str, Any]) -> _Key:
    return record["Name"].strip(".").lower(), record["Type"], record.get("SetIdentifier")


def _key_of(record: Any) -> _Key:
    return record.name.strip(".").lower(), record.type, record.set_identifier
