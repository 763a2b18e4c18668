"""Whether a model can play users, emulated tools and the judge well enough, measured on what is known to be so."""
