//! Commands of `docker` itself, without a noun.

pub mod inspect;
pub mod login;
pub mod logout;
pub mod search;
pub mod version;
