//! Docker: Dockerfiles, images, registry, daemon, builds and the command line.
