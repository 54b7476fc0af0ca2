"""A local cloud that can be copied while it runs: `POST /fork` answers with the endpoint of a twin.

The twin is a forked process: same objects, same states, nothing shared any more. So the version that
every test begins with is deployed once, and each test gets a cloud of its own in milliseconds.

    python -m tests.faults.lab.forking_cloud       prints "<endpoint> <pid>" and serves

It and its twins end when whoever holds the other end of their standard input does, however that ends.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from holdfast_orchestrator.local.server import Environ, OneAtATime, StartResponse, application

_IDLE_SECONDS = 0.1


class Forking:
    """The local cloud's application with one more operation."""

    def __init__(self, cloud: OneAtATime) -> None:
        self._cloud = cloud
        self.listener: Any = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/fork":
            return self._cloud(environ, start_response)
        body = json.dumps(self._fork()).encode()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]

    def _fork(self) -> dict[str, Any]:
        reading, writing = os.pipe()
        with self._cloud._lock:  # nobody is inside moto, so its dictionaries are whole
            child = os.fork()
        if child == 0:
            os.close(reading)
            self._live_on(writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            return {"endpoint": pipe.read(), "pid": child}

    def _live_on(self, writing: int) -> None:
        """Never returns: the twin has none of its parent's threads, and serves at a door of its own."""
        try:
            end_with_the_test()
            self.listener.socket.close()
            self._cloud._lock = threading.Lock()
            self.listener = listen(self)
            os.write(writing, endpoint(self.listener).encode())
            os.close(writing)
            self.listener.serve_forever(poll_interval=_IDLE_SECONDS)
        finally:
            os._exit(0)


def end_with_the_test() -> None:
    def wait() -> None:
        while os.read(0, 1):
            continue
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def listen(app: Forking) -> Any:
    class Quiet(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Thousands of lines, and nobody reads them."""

    return make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)


def endpoint(listener: Any) -> str:
    return f"http://127.0.0.1:{listener.server_port}"


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a twin that was stopped
    end_with_the_test()
    app = Forking(application())
    app.listener = listen(app)
    sys.stdout.write(f"{endpoint(app.listener)} {os.getpid()}\n")
    sys.stdout.flush()
    app.listener.serve_forever(poll_interval=_IDLE_SECONDS)


if __name__ == "__main__":
    main()
