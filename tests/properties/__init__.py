"""What must hold whatever people do: random walks, and second opinions on what the product computes."""
