//! Images: references, configs, manifests, history, the content-addressed store.
