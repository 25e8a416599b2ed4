//! Pure view-models: what the page shows, computed as plain data from the machine's state. Nothing here draws, asks a
//! clock or knows a browser, so that all of it is tested on the host.

pub mod browse;
pub mod cast;
pub mod change;
pub mod deeds;
pub mod embed;
pub mod explain;
pub mod files;
pub mod forecast;
pub mod gloss;
pub mod highlight;
pub mod ids;
pub mod inside;
pub mod keys;
pub mod lesson;
pub mod picture;
pub mod place;
pub mod preview;
pub mod progress;
pub mod screen;
pub mod settings;
pub mod steps;
pub mod stock;
pub mod texts;
pub mod timeline;
pub mod transcript;
mod wrap;
