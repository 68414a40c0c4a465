"""A small world with a truth: what a plant, a distribution centre and three stores send in one day and a half."""
