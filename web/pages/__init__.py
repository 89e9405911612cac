"""Pages that are no chat: the demo, the board, the list of what the API takes."""
