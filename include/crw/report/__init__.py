"""Pages for readers, made of schema `marts` alone after each publication: this morning, the years, the catalogue, one index."""
