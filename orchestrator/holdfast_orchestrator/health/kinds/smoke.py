"""A URL answers as it should. Redirects are followed on the same host only, and never back to plain HTTP."""

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from holdfast_orchestrator.health.http_client import Answer, NoAnswerError, RefusedUrlError
from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import Http
    from holdfast_orchestrator.health.context import CheckContext

LONGEST_BODY = 1024 * 1024
"""Bytes of a body that are read; a smoke page is smaller."""

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def look(check: "Http", doors: "CheckContext") -> Observation:
    """Ask the URL and judge the answer."""
    url = f"{str(check.url).rstrip('/')}{check.path}" if check.path else str(check.url)
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = doors.http.get(url, timeout=check.timeout, limit=LONGEST_BODY)
            if answer.status in check.status or answer.status not in _REDIRECTS or not answer.location:
                return _judge(check, answer)
            onward = urljoin(url, answer.location)
            if why := _why_not(url, onward):
                return Observation(Standing.UNHEALTHY, why)
            url = onward
    except RefusedUrlError as error:
        return Observation(Standing.FAILED, error.what)
    except NoAnswerError as error:
        return Observation(Standing.UNHEALTHY, error.what)
    return Observation(Standing.UNHEALTHY, f"more than {_MOST_REDIRECTS} redirects")


def _judge(check: "Http", answer: Answer) -> Observation:
    if answer.status not in check.status:
        fine = " or ".join(map(str, check.status))
        return Observation(Standing.UNHEALTHY, f"status {answer.status}, wanted {fine}")
    if answer.cut:
        return Observation(Standing.UNHEALTHY, f"the body is longer than {LONGEST_BODY} bytes")
    if isinstance(check.marker, str) and check.marker.encode() not in answer.body:
        return Observation(
            Standing.UNHEALTHY, f"status {answer.status}, but {check.marker!r} is not in the body"
        )
    return Observation(Standing.HEALTHY, f"status {answer.status}")


def _why_not(url: str, onward: str) -> str | None:
    """Why a redirect is not followed. Queries may hold secrets and are left out."""
    asked, target = urlsplit(url), urlsplit(onward)
    if target.hostname != asked.hostname:
        return f"redirects to another host, {target.hostname}"
    if asked.scheme == "https" and target.scheme != "https":
        return f"redirects from https to {target.scheme}"
    return None
