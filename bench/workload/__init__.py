"""What every benchmark works on: a seeded catalogue, seeded requests and a ranker."""
