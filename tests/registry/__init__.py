"""Tests of what comes in from and goes out as an office's own lists."""
