import json
from typing import Any

import pytest

from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError
from holdfast_orchestrator.state.backups import back_up, backup_key
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import ObjectHead
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot

KEY = "orders/123456789012/eu-west-1/dev/terraform.tfstate"


def state(**changes: Any) -> bytes:
    document = {"version": 4, "serial": 7, "lineage": "11-22", "outputs": {}, "resources": [], **changes}
    return json.dumps(document).encode()


def store_with(body: bytes) -> MemoryStore:
    store = MemoryStore()
    store.create(KEY, body)
    return store


def snapshot(store: MemoryStore) -> StateSnapshot:
    found = read_snapshot(store, KEY)
    assert found is not None
    return found


def test_no_object_is_no_state() -> None:
    assert read_snapshot(MemoryStore(), KEY) is None


def test_a_state_says_lineage_serial_and_whether_it_manages_anything() -> None:
    managed = snapshot(store_with(state(resources=[{"mode": "managed"}])))
    only_data = snapshot(store_with(state(resources=[{"mode": "data"}])))

    assert (managed.lineage, managed.serial, managed.manages_something) == ("11-22", 7, True)
    assert not only_data.manages_something


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it is empty"),
        (b"not json", "it is not JSON"),
        (b"[]", "its version is not 4"),
        (b'{"version": 4}', "its lineage is None"),
        (state(lineage=""), "its lineage is ''"),
        (state(lineage="../x"), "its lineage is '../x'"),
        (state(version=3), "its version is not 4"),
        (state(serial=None), "its serial is None"),
    ],
)
def test_what_terraform_would_take_for_no_state_needs_a_person(body: bytes, why: str) -> None:
    with pytest.raises(NeedsPersonError, match=why):
        read_snapshot(store_with(body), KEY)


def test_a_backup_lies_beside_the_states_named_by_its_content() -> None:
    store = store_with(state())
    taken = snapshot(store)

    key = back_up(store, taken)

    folder = "_holdfast/backups/orders/123456789012/eu-west-1/dev/11-22"
    assert key == backup_key(taken) == f"{folder}/7-{taken.sha256}.json"
    assert store.objects[key] == state()
    assert store.objects[KEY] == state()


def test_backing_up_the_same_state_twice_makes_one_copy() -> None:
    store = store_with(state())

    assert back_up(store, snapshot(store)) == back_up(store, snapshot(store))
    assert len(store.objects) == 2


def test_a_copy_that_was_damaged_is_not_taken_for_a_backup() -> None:
    store = store_with(state())
    store.objects[backup_key(snapshot(store))] = b"damaged"

    with pytest.raises(HoldfastError, match="is not what was written there; nothing was applied"):
        back_up(store, snapshot(store))


def test_a_copy_that_cannot_be_read_back_is_not_taken_for_a_backup() -> None:
    class Forgetful(MemoryStore):
        def create(self, key: str, body: bytes) -> ObjectHead:
            return ObjectHead(key=key, etag="e", size=len(body))

    taken = snapshot(store_with(state()))

    with pytest.raises(HoldfastError, match="nothing was applied"):
        back_up(Forgetful(), taken)
