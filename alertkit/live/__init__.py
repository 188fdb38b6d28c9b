"""Standing in for the world on loopback: simulated systems, a sink for messages, and real servers between them."""
