"""Training of the localisation network: recipes, losses, Lightning module, time-boxed legs (torch)."""
