"""From documents to what can run: expressions, what they refer to, and the checks beforehand."""
