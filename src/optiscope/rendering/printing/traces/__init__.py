"""How each trace type is drawn, one concept per file."""
