"""How the world's scripts are typed, written and mistaken: keyboards, letters that look or sound alike, variants."""
