"""What a person does to a state itself: restore, unlock, adopt, move."""
