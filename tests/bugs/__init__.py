"""One test for each fault that was found: it failed once, and must never fail again."""
