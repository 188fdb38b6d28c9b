"""What a user may write: the typed, located form of specs, routing and the project file."""
