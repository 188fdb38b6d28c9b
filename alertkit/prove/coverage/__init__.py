"""What the cases of each alert show of it."""
