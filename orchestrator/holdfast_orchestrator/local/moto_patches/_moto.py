"""The one place that reaches into moto: its modules, and three ways to change its classes.

moto is typed, but not for being changed from outside: here, and only here, it is `Any`.
"""

import functools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import unquote

Handler = Callable[[Any, Mapping[str, Any]], object]


def moto(path: str) -> Any:
    """Return moto's module, such as `moto("rds.models")`."""
    return import_module(f"moto.{path}")


def operation(response: Any, name: str) -> Callable[[Handler], Handler]:
    """Add an API operation (its AWS name) to one of moto's response classes; steps aside if it is there.

    The handler gets moto's response object and the request's parameters by their AWS names, and
    returns the answer as a dict by AWS names (None: an empty one); moto writes it the service's way.
    """
    core = moto("core.responses")
    method = moto("core.utils").camelcase_to_underscores(name)

    def install(handler: Handler) -> Handler:
        def answer(self: Any) -> Any:
            result = handler(self, parameters(self))
            return core.EmptyResult() if result is None else core.ActionResult(result)

        if not hasattr(response, method):
            setattr(response, method, answer)
        return handler

    return install


def parameters(response: Any) -> Mapping[str, Any]:
    """Return the request's parameters by their AWS names, whichever protocol the service speaks."""
    if response.automated_parameter_parsing:
        # RDS's own kind of dict answers to `db_name` and `DBName` alike, so it is handed on as it is.
        return response.params  # type: ignore[no-any-return]
    body = json.loads(response.body) if response.body else {}
    path = response.uri_match.groupdict() if response.uri_match else {}
    return {**{name: unquote(value) for name, value in path.items()}, **body}


def wrap(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function around a method: it gets the original first, then what the method gets."""

    def install(function: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(owner, name)

        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, method)
        return function

    return install


def attach(owner: Any, name: str, value: Any) -> None:
    """Set an attribute (a property, say) of one of moto's classes."""
    setattr(owner, name, value)


def now() -> datetime:
    """Return moto's time, with its zone."""
    moment: datetime = moto("core.utils").utcnow()
    return moment.replace(tzinfo=UTC)


def memory(holder: Any, name: str) -> dict[Any, Any]:
    """Return a dict of ours kept on one of moto's objects: forgotten when moto forgets the object."""
    return vars(holder).setdefault(f"holdfast_{name}", {})  # type: ignore[no-any-return]
