"""shortlist: features, retrieval, scoring and top-k for ranking services, in one native call."""
