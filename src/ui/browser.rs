//! The small browser: an address bar over a frame that shows what the machine's servers answer.
//!
//! The frame is sandboxed without `allow-same-origin` and has a content security policy that lets it load nothing
//! (`www/browser.html`), so a page of a container reaches neither this page, nor what it keeps, nor a network. What the page
//! needs it asks for by messages, and the machine answers.

use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlIFrameElement, HtmlInputElement, MessageEvent, SubmitEvent};
use yew::prelude::*;

use crate::machine::browser::{NoPage, Page, Request};
use crate::ui::dom;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::browse::{Way, address, doors, reason, shown};
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/browser.module.css");

/// Requests of one page at most: a page that asks without end is cut off.
const MAX_ASKED: u32 = 500;
/// The most of an answer that is shown, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// What an empty browser proposes.
const PROPOSAL: &str = "docker run -d -p 8080:80 nginx";

/// What the pane shows.
#[derive(Properties, PartialEq)]
pub struct BrowserProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// What the frame's place holds.
#[derive(Clone)]
enum Shown {
    Nothing,
    Waiting,
    Page(Rc<Page>),
    Failed(NoPage),
}

/// The pane.
#[function_component]
pub fn Browser(props: &BrowserProps) -> Html {
    use_topic(&props.session, Topic::World);
    use_topic(&props.session, Topic::Stage);
    let texts = props.language.panes();
    let session = &props.session;
    let way = use_state(Way::default);
    // Grows with every visit: an answer to an older one comes too late.
    let visit = use_state(|| 0u32);
    let shown_now = use_state(|| Shown::Nothing);
    let title = use_state_eq(String::new);
    let newest = use_mut_ref(|| 0u32);

    let load = {
        let (session, visit, shown_now, newest) = (session.clone(), visit.clone(), shown_now.clone(), newest.clone());
        let title = title.clone();
        Callback::from(move |request: Request| {
            let number = {
                let mut newest = newest.borrow_mut();
                *newest = newest.wrapping_add(1);
                *newest
            };
            shown_now.set(Shown::Waiting);
            title.set(String::new());
            let (visit, shown_now, newest) = (visit.clone(), shown_now.clone(), newest.clone());
            session.fetch(
                request,
                Callback::from(move |answer: Result<Page, NoPage>| {
                    if *newest.borrow() == number {
                        visit.set(number);
                        shown_now.set(match answer {
                            Ok(page) => Shown::Page(Rc::new(page)),
                            Err(why) => Shown::Failed(why),
                        });
                    }
                }),
            );
        })
    };
    let go = {
        let (way, load) = (way.clone(), load.clone());
        Callback::from(move |request: Request| {
            let mut next = (*way).clone();
            next.go(request.clone());
            way.set(next);
            load.emit(request);
        })
    };
    let go_to = go.reform(|typed: String| Request { url: address(&typed), ..Request::default() });
    let wanted = session.wanted_address();
    {
        let go_to = go_to.clone();
        use_effect_with(wanted, move |wanted| {
            if wanted.number > 0 {
                go_to.emit(wanted.what.clone());
            }
        });
    }
    let step = |by: isize, name: &'static str, sign: &'static str| {
        let (way, load) = (way.clone(), load.clone());
        let disabled = !way.can(by) || way.here().is_none();
        let onclick = Callback::from(move |_: MouseEvent| {
            let mut next = (*way).clone();
            next.step(by);
            if let Some(request) = next.here() {
                load.emit(request.clone());
            }
            way.set(next);
        });
        html! {
            <button type="button" class={style::step} {disabled} aria-label={name} title={name} {onclick}>{ sign }</button>
        }
    };
    let picture = session.picture();
    let doors = doors(&picture);
    let here = way.here().map(|request| request.url.clone()).unwrap_or_default();
    let url = match &*shown_now {
        Shown::Page(page) => page.url.clone(),
        _ => here.clone(),
    };
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with(url.clone(), move |url| {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                field.set_value(shown(url));
            }
        });
    }
    let onsubmit = {
        let (field, go_to, load, way) = (field.clone(), go_to.clone(), load.clone(), way.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let typed = field.cast::<HtmlInputElement>().map(|field| field.value()).unwrap_or_default();
            if typed.trim().is_empty() {
                return;
            }
            match way.here().filter(|request| request.url == address(&typed)) {
                Some(same) => load.emit(same.clone()),
                None => go_to.emit(typed),
            }
        })
    };
    let doors_row = doors.iter().filter(|door| door.is_open).map(|door| {
        let go_to = go_to.clone();
        let port = door.port.to_string();
        let name = fill(texts.port, &[&format!("localhost:{port}"), &door.container, &door.inside.to_string()]);
        let onclick = Callback::from(move |_: MouseEvent| go_to.emit(port.clone()));
        html! {
            <button type="button" class={style::door} key={door.port} aria-label={name.clone()} title={name} {onclick}>
                <b>{ format!(":{}", door.port) }</b>{ format!(" {}", door.container) }
            </button>
        }
    });
    let has_doors = doors.iter().any(|door| door.is_open);
    let served_by = doors.iter().find(|door| {
        let port = format!(":{}", door.port);
        shown(&url).split('/').next().unwrap_or_default().ends_with(&port)
    });
    let propose = {
        let session = session.clone();
        Callback::from(move |_: MouseEvent| session.type_command(0, PROPOSAL))
    };
    let body = match &*shown_now {
        Shown::Page(page) => html! {
            <Frame key={*visit} session={session.clone()} page={Pointer(Rc::clone(page))}
                title={fill(texts.page_of, &[shown(&page.url)])} on_go={go.clone()}
                on_title={Callback::from({ let title = title.clone(); move |text: String| title.set(text) })} />
        },
        Shown::Waiting => html! { <div class={style::note} role="status"><p>{ texts.loading }</p></div> },
        Shown::Failed(why) => html! {
            <div class={style::note} role="alert">
                <h3>{ fill(texts.no_page, &[shown(&here)]) }</h3>
                <p>{ texts.reason(&reason(*why, &here, &picture)) }</p>
            </div>
        },
        Shown::Nothing if has_doors => html! {
            <div class={style::note}><h3>{ texts.no_page_yet }</h3><p>{ texts.pick_port }</p></div>
        },
        Shown::Nothing => html! {
            <div class={style::note}>
                <h3>{ texts.no_page_yet }</h3>
                <p>{ texts.no_ports }</p>
                <button type="button" class={style::proposal} onclick={propose}><code>{ PROPOSAL }</code></button>
            </div>
        },
    };
    html! {
        <section class={style::pane} data-capas="browser" aria-label={texts.browser}>
            <form class={style::bar} {onsubmit}>
                { step(-1, texts.back, "←") }
                { step(1, texts.forward, "→") }
                { step(0, texts.reload_page, "↻") }
                <input ref={field} class={style::address} type="text" inputmode="url" autocomplete="off" spellcheck="false"
                    autocapitalize="none" aria-label={texts.address} placeholder={texts.address_example} />
                <button type="submit" class={style::go}>{ texts.go }</button>
            </form>
            if has_doors {
                <div class={style::doors} role="group" aria-label={texts.ports}>{ for doors_row }</div>
            }
            <div class={style::body}>{ body }</div>
            if let Shown::Page(page) = &*shown_now {
                <p class={style::status}>
                    <span>{ format!("{} · {}", page.status, page.content_type) }</span>
                    if let Some(door) = served_by {
                        <span>{ fill(texts.served_by, &[&door.container]) }</span>
                    }
                    if !title.is_empty() {
                        <b>{ (*title).clone() }</b>
                    }
                </p>
            }
        </section>
    }
}

/// The same page is the same pointer.
#[derive(Clone)]
struct Pointer(Rc<Page>);

impl PartialEq for Pointer {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Properties, PartialEq)]
struct FrameProps {
    session: Session,
    page: Pointer,
    title: String,
    on_go: Callback<Request>,
    on_title: Callback<String>,
}

/// The sandboxed frame with one page in it.
#[function_component]
fn Frame(props: &FrameProps) -> Html {
    let frame = use_node_ref();
    let latest = use_mut_ref(|| (props.on_go.clone(), props.on_title.clone()));
    *latest.borrow_mut() = (props.on_go.clone(), props.on_title.clone());
    {
        let (frame, session, page) = (frame.clone(), props.session.clone(), props.page.clone());
        use_effect_with((), move |()| {
            let asked = std::cell::Cell::new(0);
            let listening = web_sys::window().map(|window| {
                EventListener::new(&window, "message", move |event| {
                    let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
                    let inside = frame.cast::<HtmlIFrameElement>().and_then(|frame| frame.content_window());
                    let (Some(inside), Some(source)) = (inside, event.source()) else { return };
                    // Only what this frame itself says is heard.
                    if JsValue::from(&inside) != JsValue::from(source) {
                        return;
                    }
                    let said = event.data();
                    match text(&said, "kind").as_str() {
                        "ready" => post(&inside, "show", 0, Some(&page.0)),
                        "shown" => latest.borrow().1.emit(text(&said, "title")),
                        "go" => latest.borrow().0.emit(request(&said)),
                        "ask" if asked.get() < MAX_ASKED => {
                            asked.set(asked.get() + 1);
                            let id = Reflect::get(&said, &"id".into()).ok().and_then(|id| id.as_f64()).unwrap_or(0.0);
                            let answered = move |answer: Result<Page, NoPage>| {
                                post(&inside, "answer", id as u32, answer.ok().as_ref());
                            };
                            session.fetch(request(&said), Callback::from(answered));
                        }
                        _ => {}
                    }
                })
            });
            move || drop(listening)
        });
    }
    html! {
        <iframe class={style::frame} ref={frame} src="browser.html" sandbox="allow-scripts allow-forms" title={props.title.clone()}
            data-capas="page" referrerpolicy="no-referrer"></iframe>
    }
}

fn text(object: &JsValue, name: &str) -> String {
    Reflect::get(object, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

fn request(said: &JsValue) -> Request {
    Request {
        url: text(said, "url"),
        method: Some(text(said, "method")).filter(|method| method != "GET").unwrap_or_default(),
        content_type: text(said, "type"),
        body: text(said, "body"),
    }
}

/// Hands the frame a page; without one it learns that there is none.
fn post(inside: &web_sys::Window, kind: &str, id: u32, page: Option<&Page>) {
    let message = Object::new();
    dom::set(&message, "kind", &kind.into());
    dom::set(&message, "id", &id.into());
    if let Some(page) = page {
        let bytes = page.body.slice(0..MAX_BYTES).to_vec();
        dom::set(&message, "url", &page.url.as_str().into());
        dom::set(&message, "status", &page.status.into());
        dom::set(&message, "type", &page.content_type.as_str().into());
        dom::set(&message, "bytes", &Uint8Array::from(bytes.as_slice()));
    }
    // The frame has no origin that could be named.
    inside.post_message(&message, "*").unwrap_or_default();
}
