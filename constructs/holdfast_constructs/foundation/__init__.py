"""The foundation of an account: what has to be there before the first deploy.

    state_bucket   the settings of the bucket that holds the states
    stack          the stack that `holdfast bootstrap` deploys

Only `project.main` builds these, where HOLDFAST_FOUNDATION asks for them; a project's own stacks never do.
"""

VARIABLE = "HOLDFAST_FOUNDATION"
