"""Texts that look like secrets and are none, said so by somebody, with the reason beside them."""

from typing import Any, Self

from holdfast_constructs._secrets import SOMETIMES_PLAIN, known_secrets
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

SHORTEST_REASON = 8


@checked
class Plain(str):
    """A text for `environment` that anybody may read although it looks like a secret.

    Write `Plain("4096", because="the size of the key")`. Raises ConstructError without a reason, and
    for a value that can be nothing but a secret, such as a private key or an access key of AWS.
    """

    __slots__ = ("because",)
    because: str

    def __new__(cls, value: object = "", **_: Any) -> Self:
        """Make the text; `__init__` looks at the reason."""
        return super().__new__(cls, value)

    def __init__(self, value: str, *, because: str) -> None:
        """Keep the reason."""
        kind = never_plain(value)
        if kind is not None:
            raise ConstructError(
                f"a Plain text is {kind}, which is never for everybody",
                next_step="keep it in Secrets Manager, and replace it: it has been written down",
            )
        if len(because.strip()) < SHORTEST_REASON:
            raise ConstructError(
                "because", got=because, allowed="a reason: why this text is no secret", next_step="write it"
            )
        self.because = because


def never_plain(value: str) -> str | None:
    """Return the kind of secret in `value` that no reason makes a plain text, None where there is none."""
    kinds = (kind for kind, _ in known_secrets(value) if kind not in SOMETIMES_PLAIN)
    return next(kinds, None)
