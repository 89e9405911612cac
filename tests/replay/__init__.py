"""Quarters and years lived again by chat, with the figures the articles give."""
