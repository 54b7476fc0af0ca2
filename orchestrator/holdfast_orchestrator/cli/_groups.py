"""A group of commands that names the nearest one where it is asked for one that does not exist."""

from difflib import get_close_matches

import click


class SuggestingGroup(click.Group):
    """Answers "No such command" with the command that was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command's name, the command, and the rest of the arguments."""
        asked = args[0]
        if self.get_command(ctx, asked) is None and not asked.startswith("-"):
            names = self.list_commands(ctx)
            nearest = get_close_matches(asked, names, n=1)
            hint = f"Did you mean {nearest[0]!r}?" if nearest else f"There are: {', '.join(names)}."
            ctx.fail(f"No such command {asked!r}. {hint}")
        return super().resolve_command(ctx, args)
