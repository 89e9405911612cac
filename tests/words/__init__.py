"""What is understood of people's own words, in tables of real-sounding sentences."""
