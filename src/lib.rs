//! Capas: the map of the house.

pub mod base;
pub mod docker;
pub mod lesson;
pub mod machine;
pub mod os;
pub mod view;

#[cfg(target_arch = "wasm32")]
pub mod embed;
#[cfg(not(target_arch = "wasm32"))]
pub mod host;
#[cfg(target_arch = "wasm32")]
pub mod ui;
