"""The error of a construct that is given something it cannot build from.

One kind of error, raised while the constructs are being created and never later: it names the
property, what was got, what is allowed, and the edit that corrects it.
"""

from typing import Final

_NOTHING: Final = object()


class ConstructError(ValueError):
    """A property of a construct is not allowed.

    `what` names the property (or is a whole sentence, when `allowed` is left out), `got` is the
    value that was given, `allowed` says what would be accepted, `next_step` is the edit that corrects it.
    The text reads `<what> must be <allowed>, got <got>; <next_step>`.
    """

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
            sentence += f", got {got!r}"
        if next_step is not None:
            sentence += f"; {next_step}"
        super().__init__(sentence)
        self.what = what
        self.next_step = next_step
