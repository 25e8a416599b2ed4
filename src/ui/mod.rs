//! The page, in Yew: components that draw what `view` computes. wasm32 only.

/// Puts the app into the page's body.
pub fn mount() {}
