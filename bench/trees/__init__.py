"""Trees alone: shortlist against what people score trees with, over models and batches."""
