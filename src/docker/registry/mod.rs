//! Registries: repositories, tags, blobs, pull and push plans, and the catalogue's recipes.
