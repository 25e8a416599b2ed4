//! The page as others use it: what its address asks for, and messages with the page around it. wasm32 only.
//!
//! The page itself is `ui`'s; nothing here draws. What can be computed without a browser is in `view::embed`.

mod frame;

use crate::ui::{self, dom};
use crate::view::embed::Options;

/// Puts the page into the document, as its address asks.
pub fn mount() {
    let parameters = dom::parameters();
    let options = Options::from_parameters(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    frame::serve(ui::mount(options));
}
