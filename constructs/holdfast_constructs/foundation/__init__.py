"""The foundation of an account: what has to be there before the first deploy.

    state_bucket   the settings of the bucket that holds the states
    deploy_roles   the roles of a CI, the boundary of all roles, identity providers
    policies       what the roles may do: pure functions of `actions`
    actions        which IAM actions each resource type needs (`actions.csv`)
    identity       which jobs of a CI may take a role
    stack          the stack that `holdfast bootstrap` deploys
    existing       what `holdfast bootstrap` found in the account before
    names          names that other stacks know without waiting

Only `project.main` builds these, where HOLDFAST_FOUNDATION asks for them; a project's own stacks never do.
"""
