"""The gates in force, in the order their findings are read."""

from holdfast_orchestrator.gate import Gate
from holdfast_orchestrator.gate.expired import expired
from holdfast_orchestrator.gate.protection import protection
from holdfast_orchestrator.gate.shown import shown

GATES: tuple[Gate, ...] = (protection, shown, expired)
