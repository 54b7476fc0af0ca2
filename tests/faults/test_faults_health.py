"""Row 52: health checks that stay red, flap, or have no target."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.scenarios import (
    PLAIN,
    PLAIN_SECOND,
)
from tests.faults.lab.world import DEPLOY, World


class Site(BaseHTTPRequestHandler):
    """Answers with the statuses it was given, one after another, the last for ever."""

    statuses: list[int]

    def do_GET(self) -> None:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nobody reads it."""


@contextmanager
def site(*statuses: int) -> Iterator[str]:
    handler = type("BoundSite", (Site,), {"statuses": list(statuses)})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def http(url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "http", "name": "smoke", "url": url, "interval": 0.2, "timeout": 2, "window": 3, **more}


def command(*argv: str, **more: Any) -> dict[str, Any]:
    return {"kind": "command", "name": "own", "command": list(argv), "interval": 0.2, "window": 2, **more}


def test_row_52_a_check_that_stays_red_takes_the_deploy_back(world: World) -> None:
    world.begin(PLAIN)
    before = {one["name"] for one in world.state()["resources"]}
    marker = world.folder / "well"
    marker.touch()
    world.write(PLAIN_SECOND, checks=[command("test", "-e", str(marker))])
    started = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "fresh")

    marker.unlink()
    ended = started.wait()

    assert_safe(world, ended, code=5)
    assert "own" in ended.text
    assert {one["name"] for one in world.state()["resources"]} == before


def test_row_52_a_check_that_flaps_and_ends_well_is_a_pass(world: World) -> None:
    world.begin(PLAIN)
    with site(200, 503, 200, 503, 200) as url:
        world.write(PLAIN_SECOND, checks=[http(url, failures=5, successes=1)])

        ended = world.holdfast(*DEPLOY)

    assert_safe(world, ended, code={0, 4})


def test_row_52_a_target_that_does_not_exist_is_a_failure_and_no_pass(world: World) -> None:
    world.begin(PLAIN)
    missing = {"kind": "alarm", "name": "errors", "alarm": "no-such-alarm", "interval": 0.2, "window": 1}
    world.write(PLAIN_SECOND, checks=[missing])

    ended = world.holdfast(*DEPLOY)

    assert_safe(world, ended, code={4, 5})
    assert "no-such-alarm" in ended.text
    assert {one["name"] for one in world.state()["resources"]} == {"kept", "changed", "gone"}


def test_row_52_what_was_found_ill_is_looked_at_again_and_never_taken_for_good(world: World) -> None:
    world.begin(PLAIN)
    marker = world.folder / "well"
    world.write(PLAIN_SECOND, checks=[command("test", "-e", str(marker))])

    kept = world.holdfast(*DEPLOY, "--no-rollback")
    again = world.holdfast(*DEPLOY, "--no-rollback")

    assert_safe(world, kept, code=1)
    assert_safe(world, again, code=1)
    assert "own" in again.text
    marker.touch()
    corrected = world.holdfast(*DEPLOY)
    assert_safe(world, corrected, code=0)
    assert '"committed"' in corrected.text
