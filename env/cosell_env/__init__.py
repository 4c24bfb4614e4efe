"""What differs from place to place: typed variables, connections, and secrets that stay secret."""
