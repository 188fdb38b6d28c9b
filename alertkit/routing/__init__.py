"""What Alertmanager will do with an alert, computed here: who is told, when, in which words, and what mutes it."""
