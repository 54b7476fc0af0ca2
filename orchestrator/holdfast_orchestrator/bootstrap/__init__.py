"""What `holdfast bootstrap` does itself, before and after the stack `foundation` is deployed.

    bucket.py     whose the state bucket is, and which steps it still needs
    preview.py    what a bootstrap would do
    providers.py  which identity providers of the account somebody else made
    removal.py    what keeps the bucket from being removed, and its removal

The stack is deployed by `deploy` as every other one is. Each step here is decided by looking, and has the
same effect when it is made twice.
"""
