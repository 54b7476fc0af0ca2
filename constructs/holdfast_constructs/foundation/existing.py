"""What `holdfast bootstrap` found in the account before it synthesized, as it hands it over.

HOLDFAST_FOUNDATION is a JSON object: `foreign_providers` are the hosts of identity providers that the account
has and this foundation did not make.
"""

import json
from dataclasses import dataclass

VARIABLE = "HOLDFAST_FOUNDATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """What the account has already, and somebody else made."""

    foreign_providers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str) -> "Existing":
        """Read the variable's value; raises ValueError for one that `holdfast bootstrap` did not write."""
        document = json.loads(text)
        if not isinstance(document, dict):
            raise TypeError(text)
        return cls(foreign_providers=frozenset(map(str, document.get("foreign_providers", ()))))
