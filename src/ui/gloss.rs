//! What is pointed at in a command line, explained beside the pointer; and, by F1, the whole line as a list, which is how
//! keyboards and screen readers come to it.
//!
//! Rows of a terminal, commands in the text of a lesson and the lines of the editor are only looked at where the pointer
//! rests: nothing is drawn differently for it.

use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlTextAreaElement, KeyboardEvent, MouseEvent, Node, Range};
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::session::Session;
use crate::view::gloss::{Piece, gloss, piece_at};
use crate::view::settings::Hints;
use crate::view::texts::{Language, programs};
use crate::view::transcript;

stylance::import_crate_style!(style, "src/ui/gloss.module.css");

/// How long the pointer rests before something shows.
const REST_MS: u32 = 350;
/// How long something stays, so that the pointer can get onto it.
const LEAVE_MS: u32 = 250;
/// The id of the list.
pub const LIST: &str = "gloss";

/// What explanations depend on.
#[derive(Properties, PartialEq)]
pub struct GlossProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// Whether anything shows where the pointer rests.
    pub hints: Hints,
}

/// What shows, and where.
#[derive(Clone, PartialEq)]
struct Shown {
    piece: Piece,
    left: f64,
    top: f64,
    bottom: f64,
}

/// The explanation beside the pointer and the list.
#[function_component]
pub fn Gloss(props: &GlossProps) -> Html {
    let texts = props.language.gloss();
    let shown = use_state_eq(|| None::<Shown>);
    let listed = use_state_eq(Vec::<(String, Piece)>::new);
    let console = use_mut_ref(|| 0_usize);
    let timer = use_mut_ref(|| None::<Timeout>);
    let tip = use_node_ref();
    {
        let (shown, console, timer, tip) = (shown.clone(), Rc::clone(&console), Rc::clone(&timer), tip.clone());
        let dependencies = (props.session.clone(), props.language, props.hints);
        use_effect_with(dependencies, move |(session, language, hints)| {
            let (session, language, hints) = (session.clone(), *language, *hints);
            let mut listening = Vec::new();
            if let Some(document) = dom::document() {
                if hints == Hints::On {
                    let (shown, timer) = (shown.clone(), Rc::clone(&timer));
                    listening.push(EventListener::new(&document, "mousemove", move |event| {
                        let Some(event) = event.dyn_ref::<MouseEvent>() else { return };
                        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                        if dom::html(&tip).is_some_and(|tip| tip.contains(target.as_deref())) {
                            *timer.borrow_mut() = None;
                            return;
                        }
                        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
                        let (session, shown) = (session.clone(), shown.clone());
                        // Any button that is pressed selects or drags.
                        let found = (event.buttons() == 0).then(|| place(target?, x, y)).flatten();
                        let wait = if found.is_some() { REST_MS } else { LEAVE_MS };
                        *timer.borrow_mut() = Some(Timeout::new(wait, move || {
                            shown.set(found.and_then(|found| explain(&session, &found, language)));
                        }));
                    }));
                }
                let once = |kind: &'static str, shown: UseStateHandle<Option<Shown>>| {
                    let timer = Rc::clone(&timer);
                    let options = EventListenerOptions::run_in_capture_phase();
                    EventListener::new_with_options(&document, kind, options, move |_| {
                        *timer.borrow_mut() = None;
                        shown.set(None);
                    })
                };
                listening.extend(["keydown", "scroll", "mousedown"].map(|kind| once(kind, shown.clone())));
                listening.push(EventListener::new_with_options(
                    &document,
                    "keydown",
                    EventListenerOptions::enable_prevent_default(),
                    move |event| {
                        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
                        let at = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                        let of = at.and_then(|at| at.closest("[data-console]").ok().flatten());
                        if let (Some(of), "F1") = (of, event.key().as_str()) {
                            event.prevent_default();
                            *console.borrow_mut() = number(&of);
                            show_list();
                        }
                    },
                ));
            }
            move || drop(listening)
        });
    }
    {
        let tip = tip.clone();
        use_effect_with((*shown).clone(), move |shown| {
            if let (Some(tip), Some(shown)) = (dom::html(&tip), shown) {
                put(&tip, shown);
            }
        });
    }
    let ontoggle = {
        let (session, language, listed) = (props.session.clone(), props.language, listed.clone());
        Callback::from(move |event: Event| {
            let opened = Reflect::get(&event, &"newState".into()).is_ok_and(|state| state == JsValue::from_str("open"));
            if !opened {
                return;
            }
            let line = session.console(*console.borrow()).and_then(|view| transcript::last_command(&view.shown));
            let line = line.unwrap_or_default();
            let pieces = gloss(&line, true, &session.picture(), language);
            let pair = |piece: Piece| (line.get(piece.range.clone()).unwrap_or_default().to_owned(), piece);
            listed.set(pieces.into_iter().map(pair).collect());
        })
    };
    let close = Callback::from(|_: MouseEvent| crate::ui::panel::hide(LIST));
    html! {
        <>
            if let Some(shown) = &*shown {
                <div class={style::tip} ref={tip} role="tooltip" data-capas="gloss">
                    <b><code>{ shown.piece.title.clone() }</code></b>
                    { says(&shown.piece, texts.docker_says) }
                </div>
            }
            <div id={LIST} class={style::list} popover="auto" role="dialog" aria-label={texts.whole} tabindex="-1" {ontoggle}>
                <h2>{ texts.whole }</h2>
                if listed.is_empty() {
                    <p>{ texts.nothing }</p>
                }
                <dl>
                    { for listed.iter().map(|(text, piece)| html! {
                        <div>
                            <dt><code>{ text }</code></dt>
                            <dd>
                                if *text != piece.title { <code class={style::name}>{ piece.title.clone() }</code> }
                                { says(piece, texts.docker_says) }
                            </dd>
                        </div>
                    }) }
                </dl>
                <button type="button" class={style::close} onclick={close}>{ texts.close }</button>
            </div>
        </>
    }
}

/// The sentences about a piece.
fn says(piece: &Piece, docker_says: &'static str) -> Html {
    html! {
        <>
            { for piece.says.iter().map(|text| html! { <p>{ code_in(text) }</p> }) }
            if !piece.docker.is_empty() {
                <p class={style::docker} lang="en"><span>{ docker_says }{ ": " }</span>{ piece.docker }</p>
            }
        </>
    }
}

/// A sentence with what stands between backquotes as code.
fn code_in(text: &str) -> Html {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => html! { { part.to_owned() } },
        _ => html! { <code>{ part.to_owned() }</code> },
    };
    html! { <>{ for text.split('`').enumerate().map(part) }</> }
}

/// The number of the terminal that an element says.
fn number(element: &Element) -> usize {
    element.get_attribute("data-console").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Opens the list. Absent from web-sys without a feature of its own.
pub fn show_list() {
    if let Some(list) = dom::by_id(LIST)
        && let Some(show) = function(&list, "showPopover")
    {
        show.call0(&list).map(drop).unwrap_or_default();
        if let Some(list) = list.dyn_ref::<HtmlElement>() {
            dom::focus(list);
        }
    }
}

fn function(of: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(of, &JsValue::from_str(name)).ok()?.dyn_into().ok()
}

/// A line, a place in it in bytes, and where that is on the screen.
struct Place {
    line: String,
    byte: usize,
    is_command: bool,
    left: f64,
    top: f64,
    bottom: f64,
}

fn explain(session: &Session, place: &Place, language: Language) -> Option<Shown> {
    let pieces = gloss(&place.line, place.is_command, &session.picture(), language);
    let piece = piece_at(&pieces, place.byte)?.clone();
    Some(Shown { piece, left: place.left, top: place.top, bottom: place.bottom })
}

/// The line that is pointed at: a row of a terminal with those that it was wrapped to, or a line of code.
fn place(target: Element, x: f64, y: f64) -> Option<Place> {
    if let Some(area) = target.dyn_ref::<HtmlTextAreaElement>() {
        return in_editor(area, x, y);
    }
    let row = target.closest("[data-capas=\"row\"]").ok().flatten();
    let code = || target.closest("code").ok().flatten();
    let is_code = row.is_none();
    let block = row.or_else(code)?;
    let (node, offset) = caret(x, y)?;
    if !block.contains(Some(&node)) {
        return None;
    }
    // A caret stands before or behind the letter that is pointed at.
    let (mut before, mut rect) = (offset, letter(&node, offset)?);
    if offset > 0
        && let Some(left) = letter(&node, offset - 1)
        && x < left.right()
    {
        (before, rect) = (offset - 1, left);
    }
    // Beside the text nothing is pointed at.
    if x < rect.left() - 2.0 || x > rect.right() + 2.0 || y < rect.top() - 3.0 || y > rect.bottom() + 3.0 {
        return None;
    }
    let range = Range::new().ok()?;
    range.set_start(&block, 0).ok()?;
    range.set_end(&node, before).ok()?;
    let ahead = String::from(range.to_string());
    let text = block.text_content()?;
    let mut place = Place {
        byte: ahead.len(),
        line: text,
        is_command: false,
        left: rect.left(),
        top: rect.top(),
        bottom: rect.bottom(),
    };
    if is_code {
        let (start, line) = line_at(&place.line, place.byte);
        place.byte -= start;
        place.line = line;
        let first = place.line.split_whitespace().next().unwrap_or_default();
        place.is_command = programs::about(first, Language::Spanish).is_some();
        return Some(place);
    }
    // Rows that were wrapped are one line.
    let wrapped = |row: &Element| row.has_attribute("data-wrapped");
    let mut at = block.clone();
    while let Some(previous) = at.previous_element_sibling().filter(wrapped) {
        let text = previous.text_content().unwrap_or_default();
        place.byte += text.len();
        place.line.insert_str(0, &text);
        at = previous;
    }
    let mut at = block;
    while wrapped(&at) {
        let Some(next) = at.next_element_sibling() else { break };
        place.line.push_str(&next.text_content().unwrap_or_default());
        at = next;
    }
    Some(place)
}

/// The line of a text around a byte, with those that `\` at their ends joins, and where it begins.
fn line_at(text: &str, byte: usize) -> (usize, String) {
    let goes_on = |line: &str| line.trim_end().ends_with('\\');
    let (mut start, mut begin, mut joined) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        if !joined {
            begin = start;
        }
        let end = start + line.len();
        joined = goes_on(line);
        start = end;
        if begin <= byte && byte < end && !joined {
            return (begin, text.get(begin..end).unwrap_or_default().trim_end().replace("\\\n", " \n"));
        }
    }
    (begin, text.get(begin..).unwrap_or_default().to_owned())
}

fn in_editor(area: &HtmlTextAreaElement, x: f64, y: f64) -> Option<Place> {
    area.get_attribute("data-capas").filter(|name| name == "editor")?;
    let (node, offset) = caret(x, y)?;
    if !node.is_same_node(Some(area)) {
        return None;
    }
    let text = area.value();
    let mut units = 0;
    let byte = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > offset as usize
    })?;
    let (start, line) = line_at(&text, byte.0);
    Some(Place { byte: byte.0 - start, line, is_command: false, left: x, top: y - 10.0, bottom: y + 10.0 })
}

/// The text node under a point of the window, and the place in it. Of two names for it, browsers know one or both.
fn caret(x: f64, y: f64) -> Option<(Node, u32)> {
    let document = JsValue::from(dom::document()?);
    let ask = |name: &str, node: &str, offset: &str| {
        let found = function(&document, name)?.call2(&document, &x.into(), &y.into()).ok()?;
        let node = Reflect::get(&found, &JsValue::from_str(node)).ok()?.dyn_into::<Node>().ok()?;
        Some((node, Reflect::get(&found, &JsValue::from_str(offset)).ok()?.as_f64()? as u32))
    };
    ask("caretPositionFromPoint", "offsetNode", "offset")
        .or_else(|| ask("caretRangeFromPoint", "startContainer", "startOffset"))
}

/// Where a letter of a text is drawn.
fn letter(node: &Node, at: u32) -> Option<web_sys::DomRect> {
    let range = Range::new().ok()?;
    range.set_start(node, at).ok()?;
    range.set_end(node, at + 1).or_else(|_| range.set_end(node, at)).ok()?;
    let rect = range.get_bounding_client_rect();
    (rect.height() > 0.0).then_some(rect)
}

/// Puts the explanation below what it explains, or above where there is no room.
fn put(tip: &HtmlElement, shown: &Shown) {
    let Some(root) = dom::document().and_then(|document| document.document_element()) else { return };
    let (width, height) = (f64::from(root.client_width()), f64::from(root.client_height()));
    let left = shown.left.min(width - f64::from(tip.offset_width()) - 8.0).max(8.0);
    let below = shown.bottom + 6.0;
    let top = if below + f64::from(tip.offset_height()) < height {
        below
    } else {
        (shown.top - 6.0 - f64::from(tip.offset_height())).max(8.0)
    };
    dom::set_style(tip, "left", &format!("{left}px"));
    dom::set_style(tip, "top", &format!("{top}px"));
}
