//! The API for slides: mount, forward, unmount. wasm32 only.
