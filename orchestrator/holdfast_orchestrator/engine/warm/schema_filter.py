"""Which types and functions a shard may need: every word in its configuration, and the types in its state.

Of modules, every word in their files, as `init` has laid them out.

No expression is understood here. A type, data source, function or ephemeral resource that a configuration
uses is in it as a word, wherever that is (a block, a reference, `moved`, `import`, an escaped string);
words that are none cost nothing. Too many are kept sooner than one too few.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.terraform.json_values import objects, texts

_WORD = re.compile(r"[A-Za-z0-9_-]+")


def words_of(configuration: bytes) -> frozenset[str]:
    """Return every word of a configuration."""
    return frozenset(word for text in texts(json.loads(configuration)) for word in _WORD.findall(text))


def words_in(text: bytes) -> frozenset[str]:
    """Return every word of a text."""
    return frozenset(_WORD.findall(text.decode(errors="replace")))


def types_of(state: Mapping[str, Any]) -> frozenset[str]:
    """Return the types of the objects in a state."""
    return frozenset(str(resource.get("type")) for resource in objects(state.get("resources")))
