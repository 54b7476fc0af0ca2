"""Plans kept in a private folder, from Python: looked at now, deployed later exactly as they are.

keep(project.plan(), folder)
project.deploy(read_kept(folder))
"""

from holdfast_orchestrator.plan.saved import keep, read_kept, refuse_unusable

__all__ = ["keep", "read_kept", "refuse_unusable"]
