"""What every attack searches with: goals, what is accepted, sides of a pair, packs of what was found."""
