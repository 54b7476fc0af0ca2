"""A shard that a run elsewhere holds: waited for until somebody asks to stop, given back once it is lost."""

import json
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from holdfast_orchestrator.state.lease_record import LeaseRecord, lease_key
from holdfast_orchestrator.state.process_identity import ProcessIdentity

if TYPE_CHECKING:
    from tests.terraform.conftest import App

SHOP = {"shop": {"resource": {"terraform_data": {"kept": {"input": "1"}}}}}
RUN = "01JD3K4T7Q9ZV5M2X8R6W1B0CE"
KEY = lease_key("shop/123456789012/eu-west-1/dev")
PATIENCE_SECONDS = 60


def held_elsewhere(app: "App", *, expires_after: float) -> None:
    """The lease of a run that has no record, on a machine nobody can look at from here."""
    record = LeaseRecord(
        run=RUN,
        owner="jane",
        process=ProcessIdentity(host="runner-9", boot="boot-9", namespace="pid:[9]", pid=9, born="then"),
        epoch=1,
        token="t",
        since=datetime.now(UTC),
        doing="rolling back shop",
        expires_after=expires_after,
    )
    app.s3.put_object(Bucket=app.bucket, Key=KEY, Body=record.body())


def test_a_run_of_which_only_the_lease_is_left_locks_its_shard_until_it_is_resumed(plain_app: "App") -> None:
    plain_app.write(SHOP)
    held_elsewhere(plain_app, expires_after=-10.0)

    turned_away = plain_app.run("deploy", "--yes")
    resumed = plain_app.run("resume", RUN, "--json")
    shown = plain_app.run("show", RUN)
    again = plain_app.run("resume", RUN)
    deployed = plain_app.run("deploy", "--yes")

    (shard,) = json.loads(resumed.stdout)["shards"]
    assert turned_away.returncode == 7
    assert f"holdfast resume {RUN}" in turned_away.stdout
    assert (resumed.returncode, shard["outcome"]) == (1, "failed")
    assert "left nothing open" in shard["reason"]
    assert "could not be recorded" not in resumed.stderr
    assert shown.returncode == 0, shown.stderr
    assert again.returncode == 1, again.stderr
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr


def test_ctrl_c_ends_a_wait_for_somebody_elses_deploy(plain_app: "App") -> None:
    plain_app.write(SHOP)
    held_elsewhere(plain_app, expires_after=3600.0)
    waiting = plain_app.start("deploy", "--yes", "--wait", "600")
    assert waiting.stdout is not None
    for line in waiting.stdout:
        if "waits: held by jane" in line:
            break

    waiting.send_signal(signal.SIGINT)
    said, _ = waiting.communicate(timeout=PATIENCE_SECONDS)

    assert waiting.returncode == 130, said
    assert "not begun: shop" in said
