//! The page, in Yew: components that draw what `view` computes and send what is typed. wasm32 only.
//!
//! No component holds a copy of the engine's state: they hold a [`session::Session`] and draw anew when it says that
//! something changed. What can be computed without a browser is in `view`.

mod app;
mod broken;
mod browser;
pub mod dom;
mod drop;
mod editor;
mod fidelity;
mod files;
mod forecast;
mod gloss;
mod header;
mod inside;
pub mod keep;
mod keybar;
mod layers;
mod lesson;
mod menu;
mod motion;
mod paint;
mod panel;
pub mod rest;
pub mod session;
mod settings;
mod spot;
mod stage;
mod steps;
mod store;
mod terminal;
mod timeline;
mod waste;

use crate::machine::Config;
use crate::view::embed::{Keep, Options, Panes};
use session::Session;

/// Boots a machine and puts the page around it.
pub fn mount(options: Options) -> Session {
    broken::install();
    // A session that was kept or linked is to come back by itself.
    let begins_empty = options.commands.is_empty()
        && options.lesson.is_none()
        && (options.keep == Keep::Usual || !keep::is_anything_kept())
        && dom::fragment().is_none();
    if options.embedded && begins_empty {
        rest::begin_when_used();
    } else {
        rest::begin();
    }
    let seed = dom::parameter("seed").and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let env = settings::Settings::initial().voice.env();
    let has_lesson = options.panes == Panes::Both && options.lesson.as_ref().is_some_and(|lesson| !lesson.is_empty());
    let session = Session::new(Config { seed, env, ..Config::default() }, options);
    session.await_lesson(has_lesson);
    keep::open(&session);
    if let Some(root) = dom::by_id("app") {
        yew::Renderer::<app::App>::with_root_and_props(root, app::AppProps { session: session.clone() }).render();
    }
    session
}
