"""A shard as records keep it comes back as it was, in everything that working on it asks for."""

import json
from dataclasses import replace

from tests.support.deploy_world import CHECK, shard

from holdfast_orchestrator.app.manifest import CopyBucket, RetentionSettings
from holdfast_orchestrator.record.shard_record import note_of, shard_of

KEEPING = RetentionSettings(
    copies=(CopyBucket(bucket="copies", region="eu-central-1"),),
    backup_count=7,
    backup_days=30,
    audit_days=2555,
    unredacted=False,
)
NOTED = replace(
    shard("orders", after=("network",), protected=("aws_db_instance.db",)),
    keeping=KEEPING,
    health_checks=(CHECK,),
    cloud="local",
    role_arn="arn:aws:iam::123456789012:role/deploy",
)


def test_a_note_gives_the_shard_back_without_its_configuration() -> None:
    note = json.loads(json.dumps(note_of(NOTED)))

    assert shard_of(note) == replace(NOTED, configuration=b"{}")


def test_a_note_that_does_not_say_what_is_kept_tidies_nothing_away_and_keeps_no_secret() -> None:
    note = {name: value for name, value in note_of(NOTED).items() if name != "keeping"}

    untold = shard_of(note).keeping

    assert not untold.unredacted
    assert untold.audit_days >= KEEPING.audit_days
    assert untold.backup_count > 1000
