"""The web door, asked from outside over a real socket."""
