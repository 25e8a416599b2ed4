//! The stage: the area beside the terminal, with one view in front and a tab for each.
//!
//! Which view that is lives in the session, so that a click, a command or a lesson can bring one to the front:
//! `session.show(View::Browser)`. A new view is a variant of [`View`], its place in [`View::ALL`] and [`View::name`], and a
//! line in [`Stage`]. A view is drawn from the first time it is shown and kept from then on.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use crate::ui::browser::Browser;
use crate::ui::dom;
use crate::ui::files::Files;
use crate::ui::layers::Layers;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::texts::{Language, stage::StageTexts};

stylance::import_crate_style!(style, "src/ui/stage.module.css");

/// What can stand beside the terminal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum View {
    /// Images, layers, containers.
    #[default]
    Layers,
    /// Pages of published ports.
    Browser,
    /// The host's files and their editor.
    Files,
}

impl View {
    /// All of them, in the order of their tabs.
    pub const ALL: [Self; 3] = [Self::Layers, Self::Files, Self::Browser];

    /// Its name on the tab.
    pub const fn name(self, texts: &StageTexts) -> &'static str {
        match self {
            Self::Layers => texts.layers,
            Self::Browser => texts.browser,
            Self::Files => texts.files,
        }
    }

    /// Part of its elements' ids.
    const fn slug(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::Browser => "browser",
            Self::Files => "files",
        }
    }

    /// Whether its tab is there although it was never asked for.
    const fn is_offered(self) -> bool {
        match self {
            Self::Layers | Self::Files => true,
            Self::Browser => false,
        }
    }
}

/// Which views there are and which one is in front.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Views {
    front: View,
    opened: Vec<View>,
    /// How often a view was asked for: on phones, asking for the one in front leads to it too.
    pub asked: u32,
}

impl Views {
    /// The one in front.
    pub const fn front(&self) -> View {
        self.front
    }

    /// Brings a view to the front.
    pub fn show(&mut self, view: View) {
        if !self.opened.contains(&self.front) {
            self.opened.push(self.front);
        }
        if !self.opened.contains(&view) {
            self.opened.push(view);
        }
        self.front = view;
        self.asked = self.asked.wrapping_add(1);
    }

    fn is_drawn(&self, view: View) -> bool {
        self.front == view || self.opened.contains(&view)
    }

    /// Those that have a tab.
    pub fn tabs(&self) -> impl Iterator<Item = View> + '_ {
        View::ALL.into_iter().filter(|view| view.is_offered() || self.is_drawn(*view))
    }
}

/// What the stage shows.
#[derive(Properties, PartialEq)]
pub struct StageProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// The stage.
#[function_component]
pub fn Stage(props: &StageProps) -> Html {
    use_topic(&props.session, Topic::Stage);
    let texts = props.language.stage();
    let views = props.session.views();
    let tabs: Vec<View> = views.tabs().collect();
    let tab = |view: View| {
        let session = props.session.clone();
        let is_front = view == views.front();
        let onclick = Callback::from(move |_: MouseEvent| session.show(view));
        html! {
            <button type="button" role="tab" key={view.slug()} id={format!("tab-{}", view.slug())} class={style::tab}
                aria-selected={if is_front { "true" } else { "false" }} aria-controls={format!("view-{}", view.slug())}
                tabindex={if is_front { "0" } else { "-1" }} {onclick}>{ view.name(texts) }</button>
        }
    };
    let panel = |view: View| {
        let (session, language) = (props.session.clone(), props.language);
        html! {
            <div role="tabpanel" key={view.slug()} id={format!("view-{}", view.slug())} class={style::panel}
                aria-labelledby={format!("tab-{}", view.slug())} hidden={view != views.front()}>
                { match view {
                    View::Layers => html! { <Layers {session} {language} /> },
                    View::Browser => html! { <Browser {session} {language} /> },
                    View::Files => html! { <Files {session} {language} /> },
                } }
            </div>
        }
    };
    html! {
        <section class={style::stage} id="stage" data-capas="stage" data-view={views.front().slug()}
            aria-label={texts.stage}>
            if tabs.len() > 1 {
                <div class={style::bar} role="tablist" aria-label={texts.stage} onkeydown={Callback::from(walk)}>
                    { for tabs.iter().copied().map(tab) }
                </div>
            }
            { for View::ALL.into_iter().filter(|view| views.is_drawn(*view)).map(panel) }
        </section>
    }
}

/// Arrow keys walk through the tabs, as in any tab list.
fn walk(event: KeyboardEvent) {
    let Some(tab) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    let list = tab.parent_element();
    let next = match event.key().as_str() {
        "ArrowRight" => tab.next_element_sibling().or_else(|| list?.first_element_child()),
        "ArrowLeft" => tab.previous_element_sibling().or_else(|| list?.last_element_child()),
        "Home" => list.and_then(|list| list.first_element_child()),
        "End" => list.and_then(|list| list.last_element_child()),
        _ => return,
    };
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        next.click();
        dom::focus(&next);
    }
}
