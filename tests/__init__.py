"""What the program promises, checked without a network beyond this machine."""
