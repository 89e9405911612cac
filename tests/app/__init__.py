"""The parts of the uppermost floor."""
