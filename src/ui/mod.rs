//! The page, in Yew: components that draw what `view` computes and send what is typed. wasm32 only.
//!
//! No component holds a copy of the engine's state: they hold a [`session::Session`] and draw anew when it says that
//! something changed. What can be computed without a browser is in `view`.

mod app;
mod broken;
mod dom;
mod header;
mod keybar;
mod layers;
mod motion;
mod paint;
mod session;
mod stage;
mod steps;
mod terminal;

/// Puts the app into the page.
pub fn mount() {
    broken::install();
    if let Some(root) = dom::by_id("app") {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
