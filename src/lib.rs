//! Capas: the map of the house.

pub mod base;
pub mod os;
