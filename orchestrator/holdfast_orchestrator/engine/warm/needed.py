"""Which types and functions a shard may need: every word in its configuration, and the types in its state.

No expression is understood here. A type, data source, function or ephemeral resource that a configuration
uses stands in it as a word, wherever that is (a block, a reference, `moved`, `import`, an escaped string);
words that are none cost nothing. Too many are kept sooner than one too few.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from holdfast_orchestrator.rollback.documents import texts

_WORD = re.compile(r"[A-Za-z0-9_-]+")


def words_of(configuration: bytes) -> frozenset[str]:
    """Return every word of a configuration."""
    return frozenset(word for text in texts(json.loads(configuration)) for word in _WORD.findall(text))


def types_of(state: Mapping[str, Any]) -> frozenset[str]:
    """Return the types of the objects in a state."""
    found: Iterable[Any] = state.get("resources") or ()
    return frozenset(str(one.get("type")) for one in found if isinstance(one, Mapping))
