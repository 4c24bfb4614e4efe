"""Stand-ins for the two systems, on real sockets; they share no code with what they test."""
