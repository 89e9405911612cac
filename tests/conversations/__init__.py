"""Conversations held on every platform, through its stand-in and the real channel."""
