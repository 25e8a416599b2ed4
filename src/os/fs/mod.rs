//! Files and layers.
