//! The whole page: header, terminal beside the layers, and on phones one of the two at a time.

use web_sys::{HtmlElement, ScrollBehavior, ScrollToOptions};
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::drop::Drop;
use crate::ui::fidelity::FidelityPanel;
use crate::ui::gloss::Gloss;
use crate::ui::header::Header;
use crate::ui::keep;
use crate::ui::lesson::Lessons;
use crate::ui::menu::{NoticeBoard, SessionMenu};
use crate::ui::rest;
use crate::ui::session::{Session, Topic, use_topic};
use crate::ui::settings::{Settings, SettingsPanel};
use crate::ui::stage::{Stage, View};
use crate::ui::terminal::TerminalPane;
use crate::ui::timeline::Timeline;
use crate::view::embed::Panes as PanesShown;
use crate::view::texts::Language;

stylance::import_crate_style!(style, "src/ui/app.module.css");

const LANGUAGE: &str = "capas.language";

/// The language of the address, of an earlier visit, or of the browser; Spanish if the page does not speak that one.
pub fn initial_language() -> Language {
    let browser = || web_sys::window().and_then(|window| window.navigator().language());
    [dom::parameter("lang"), dom::kept(LANGUAGE), browser()]
        .into_iter()
        .flatten()
        .find_map(|tag| Language::from_tag(&tag))
        .unwrap_or_default()
}

/// What the page shows.
#[derive(Properties, PartialEq)]
pub struct AppProps {
    /// The machine.
    pub session: Session,
}

/// The page.
#[function_component]
pub fn App(props: &AppProps) -> Html {
    let session = &props.session;
    let language = use_state_eq(initial_language);
    // `None`: no lessons beside the terminal; empty: the list of them.
    let lesson = use_state_eq(|| dom::parameter("lesson").or_else(keep::lesson));
    let settings = use_state_eq(Settings::initial);
    let texts = language.texts();
    // What nobody needs for the first command comes when the rest of the program is there.
    let is_whole = use_state_eq(|| false);
    {
        let is_whole = is_whole.clone();
        use_effect_with((), move |()| {
            spawn_local(async move {
                rest::arrived().await;
                is_whole.set(true);
            });
        });
    }

    use_effect_with(*language, |language| {
        if let Some(document) = dom::document() {
            document.set_title(language.texts().title);
            if let Some(root) = document.document_element() {
                root.set_attribute("lang", language.tag()).unwrap_or_default();
            }
        }
    });
    use_effect_with((*settings, session.clone()), |(settings, session)| {
        settings.show();
        session.set_speed(settings.speed);
    });
    let on_language = {
        let language = language.clone();
        Callback::from(move |chosen: Language| {
            dom::keep(LANGUAGE, chosen.tag());
            language.set(chosen);
        })
    };
    let on_change = {
        let settings = settings.clone();
        Callback::from(move |chosen: Settings| settings.set(chosen))
    };
    let on_lesson = {
        let lesson = lesson.clone();
        Callback::from(move |chosen: Option<String>| {
            if chosen.as_ref().is_none_or(String::is_empty) {
                keep::note_lesson(None);
            }
            lesson.set(chosen);
        })
    };
    let on_lessons = {
        let lesson = lesson.clone();
        Callback::from(move |()| {
            keep::note_lesson(None);
            lesson.set(if lesson.is_some() { None } else { Some(String::new()) });
        })
    };
    let to_layers = {
        let session = session.clone();
        Callback::from(move |_: MouseEvent| session.show(View::Layers))
    };
    let embedded = session.options().embedded;
    html! {
        <div class={classes!(style::page, embedded.then_some(style::embedded))}>
            <a class={style::skip} href="#terminal">{ texts.skip_to_terminal }</a>
            <a class={style::skip} href="#layers" onclick={to_layers}>{ texts.skip_to_layers }</a>
            if !embedded {
                <Header language={*language} lessons={lesson.is_some()} {on_language} {on_lessons}>
                    if *is_whole {
                        if !session.options().read_only {
                            <SessionMenu session={session.clone()} language={*language} env={settings.voice.env()} />
                        }
                        <SettingsPanel session={session.clone()} language={*language} settings={*settings} {on_change} />
                    } else {
                        <span class={style::coming}></span>
                    }
                </Header>
            }
            <Panes session={session.clone()} language={*language} lesson={(*lesson).clone().map(AttrValue::from)} {on_lesson} />
            if !embedded {
                if *is_whole {
                    <Timeline session={session.clone()} language={*language} />
                    <FidelityPanel language={*language} />
                } else {
                    <div class={style::foot}></div>
                }
            }
            if *is_whole {
                <Gloss session={session.clone()} language={*language} hints={settings.hints} />
                <Drop session={session.clone()} language={*language} />
                <NoticeBoard session={session.clone()} language={*language} />
            }
        </div>
    }
}

/// What the panes draw.
#[derive(Properties, PartialEq)]
struct PanesProps {
    session: Session,
    language: Language,
    lesson: Option<AttrValue>,
    on_lesson: Callback<Option<String>>,
}

/// The lessons, the terminal and the stage. On phones they stand side by side in a strip that is swiped, or switched by tabs: one for
/// the terminal and one for each view.
#[function_component]
fn Panes(props: &PanesProps) -> Html {
    let texts = props.language.texts();
    let shown = use_state_eq(|| 0usize);
    // Lessons stand before the terminal.
    let first = usize::from(props.lesson.is_some());
    let strip = use_node_ref();
    let seen = use_state(|| props.session.picture());
    use_topic(&props.session, Topic::World);
    use_topic(&props.session, Topic::Stage);
    let views = props.session.views();
    let picture = props.session.picture();
    let layers_seen = *shown == first + 1 && views.front() == View::Layers;
    let news = !layers_seen && picture != *seen;
    {
        let (seen, picture) = (seen.clone(), picture.clone());
        use_effect_with((layers_seen, picture), move |(layers_seen, picture)| {
            if *layers_seen {
                seen.set(picture.clone());
            }
        });
    }
    let onscroll = {
        let (strip, shown) = (strip.clone(), shown.clone());
        Callback::from(move |event: Event| {
            let Some(element) = dom::html(&strip) else { return };
            // Scrolling inside a pane comes here too.
            if event.target().as_ref() == Some(element.as_ref()) && element.client_width() > 0 {
                let middle = element.scroll_left() + element.client_width() / 2;
                shown.set((middle / element.client_width()).max(0) as usize);
            }
        })
    };
    {
        // A view that was asked for is what the student wants to see.
        let strip = strip.clone();
        use_effect_with(views.asked, move |asked| {
            if let (Some(element), true) = (dom::html(&strip), *asked > 0) {
                slide_to(
                    &element,
                    first as f64 * f64::from(element.client_width()) + f64::from(element.client_width()),
                );
            }
        });
    }
    {
        // A lesson that was opened is what the student wants to read.
        let strip = strip.clone();
        use_effect_with(props.lesson.clone(), move |lesson| {
            if let (Some(element), true) = (dom::html(&strip), lesson.is_some()) {
                slide_to(&element, 0.0);
            }
        });
    }
    let tab = |view: Option<View>, name: &'static str, news: bool| {
        let (strip, session) = (strip.clone(), props.session.clone());
        let onclick = Callback::from(move |_: MouseEvent| match view {
            Some(view) => session.show(view),
            None => {
                if let Some(element) = dom::html(&strip) {
                    slide_to(&element, first as f64 * f64::from(element.client_width()));
                }
            }
        });
        let current = match view {
            None => *shown == first,
            Some(view) => *shown == first + 1 && view == views.front(),
        }
        .then_some("true");
        html! {
            <button type="button" class={style::tab} aria-pressed={current.unwrap_or("false")} {onclick}>
                { name }
                if news { <span class={style::news} aria-hidden="true"></span> }
            </button>
        }
    };
    let look = {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| session.show(View::Layers))
    };
    let to_lesson = {
        let strip = strip.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(element) = dom::html(&strip) {
                slide_to(&element, 0.0);
            }
        })
    };
    let told = props.session.told();
    let notice = told.last().filter(|_| news).map(|change| texts.change(change));
    let panes = props.session.panes();
    if panes != PanesShown::Both {
        return html! {
            <main class={classes!(style::panes, style::single)}>
                if panes == PanesShown::Terminal {
                    <TerminalPane session={props.session.clone()} language={props.language} />
                } else {
                    <Stage session={props.session.clone()} language={props.language} />
                }
            </main>
        };
    }
    html! {
        <>
            <div class={style::tabs} role="group" aria-label={texts.panes_label}>
                if first > 0 {
                    <button type="button" class={style::tab} aria-pressed={(*shown == 0).to_string()} onclick={to_lesson}>
                        { props.language.lesson().lesson }
                    </button>
                }
                { tab(None, texts.terminal, false) }
                { for views.tabs().map(|view| {
                    tab(Some(view), view.name(props.language.stage()), news && view == View::Layers)
                }) }
            </div>
            <main class={classes!(style::panes, (first > 0).then_some(style::taught))} ref={strip.clone()} {onscroll}>
                if let Some(notice) = notice {
                    <button type="button" class={style::notice} onclick={look}>
                        <span>{ notice }</span>
                        <b>{ texts.look }{ " ›" }</b>
                    </button>
                }
                if let Some(lesson) = &props.lesson {
                    <Lessons session={props.session.clone()} language={props.language} lesson={lesson.clone()}
                        on_open={props.on_lesson.clone()} />
                }
                <TerminalPane session={props.session.clone()} language={props.language} />
                <Stage session={props.session.clone()} language={props.language} />
            </main>
        </>
    }
}

fn slide_to(element: &HtmlElement, left: f64) {
    let options = ScrollToOptions::new();
    options.set_left(left);
    options.set_behavior(if dom::wants_less_motion() { ScrollBehavior::Instant } else { ScrollBehavior::Smooth });
    element.scroll_to_with_scroll_to_options(&options);
}
