"""Tests of the channels and of what they send and bring."""
