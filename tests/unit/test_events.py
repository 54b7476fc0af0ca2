import json

from holdfast_orchestrator.events import Emitter, Event, RunStarted, ShardFinished, ShardStep
from holdfast_orchestrator.system.redaction import SENSITIVE, Redactor
from holdfast_orchestrator.testing import FrozenClock


def emitted(event: Event, redactor: Redactor | None = None) -> Event:
    heard: list[Event] = []
    Emitter(FrozenClock(), redactor or Redactor(), heard.append)(event)
    return heard[0]


def test_an_event_is_stamped_when_it_is_emitted() -> None:
    event = emitted(ShardStep(shard="orders", step="planning"))

    assert event.to_json() == {
        "schema": "holdfast/event/v1",
        "event": "shard_step",
        "at": "2026-01-01T00:00:00.000Z",
        "shard": "orders",
        "step": "planning",
    }


def test_every_text_of_an_event_passes_the_redaction() -> None:
    redactor = Redactor()
    redactor.learn("very-secret")

    event = emitted(
        ShardFinished(
            shard="orders", outcome="failed", summary="very-secret", detail=("a very-secret line",)
        ),
        redactor,
    )

    assert "very-secret" not in json.dumps(event.to_json())
    assert isinstance(event, ShardFinished)
    assert event.detail == (f"a {SENSITIVE} line",)


def test_every_event_fits_on_a_line_of_json() -> None:
    event = emitted(RunStarted(run="01J", verb="deploy", shards=("a\nb",), labels=("a",)))

    assert "\n" not in json.dumps(event.to_json())
