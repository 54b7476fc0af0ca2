"""Plans kept in a private folder, from Python: read now, deployed later without a change.

keep(project.plan(), folder)
project.deploy(read_kept(folder))
"""

from holdfast_orchestrator.plan.saved import keep, read_kept, refuse_unusable

__all__ = ["keep", "read_kept", "refuse_unusable"]
