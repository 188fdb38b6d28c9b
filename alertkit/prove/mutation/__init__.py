"""Rules broken on purpose, and which cases notice."""
