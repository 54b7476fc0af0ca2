"""The error of a construct that is given something it cannot build from.

One kind of error, raised while the constructs are being created and never later: it names the
property, what was got, what is allowed, and the edit that corrects it.
"""

from typing import Any, Final

from holdfast_constructs._tokens import is_number_token

_NOTHING: Final = object()


class ConstructError(ValueError):
    """A property of a construct is not allowed.

    `what` names the property (or is a whole sentence, when `allowed` is left out), `got` is the
    value that was given, `allowed` says what would be accepted, `next_step` is the edit that corrects it.
    The text reads `<what> must be <allowed>, got <got>; <next_step>`.
    """

    verdict = "is not allowed"
    listed: str | None = None

    def __init__(
        self,
        what: str,
        *,
        got: object = _NOTHING,
        allowed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        sentence = what if allowed is None else f"{what} must be {allowed}"
        if got is not _NOTHING:
            sentence += f", got {_shown(got)}"
        if next_step is not None:
            sentence += f"; {next_step}"
        super().__init__(sentence)
        self.what = what
        self.got = None if got is _NOTHING else _shown(got)
        self.allowed = allowed
        self.next_step = next_step

    def report(self, place: str | None) -> str:
        """Return the error as the errors of settings are written; `place` is a file and a line."""
        what = self.what if self.allowed is None else f"{self.what} {self.verdict}"
        rows = {"got": self.got, "allowed": self.listed or self.allowed, "next": self.next_step}
        return "\n".join(
            (
                what if place is None else f"{place}: {what}",
                *(f"  {name:<7}  {text}" for name, text in rows.items() if text is not None),
            )
        )


class ArgumentError(ConstructError, TypeError):
    """An argument of a construct is of the wrong type, is missing, or does not exist.

    `listed` is what is allowed where `what` is a whole sentence.
    """

    verdict = "is of the wrong type"

    def __init__(self, what: str, *, listed: str | None = None, **rest: Any) -> None:
        super().__init__(what, **rest)
        self.listed = listed


def _shown(value: object) -> str:
    return "a value known only after a deploy" if is_number_token(value) else repr(value)
