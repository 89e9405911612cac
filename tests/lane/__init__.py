"""The lane and its session: order, endings, and trouble with the machine."""
