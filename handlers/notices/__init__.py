"""Notices: words for many, approved by a second person, with receipts and nobody named in public."""
