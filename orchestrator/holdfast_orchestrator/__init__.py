"""The automation API of Holdfast (lazy: importing this package costs nothing)."""
