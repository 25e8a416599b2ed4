//! The pane of terminals: tabs, the screen in front, the steps to try under it, and the keys that phones lack.

use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{ClipboardEvent, HtmlElement, HtmlTextAreaElement, InputEvent as DomInputEvent, KeyboardEvent};
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::keybar::KeyBar;
use crate::ui::paint;
use crate::ui::session::{MAX_CONSOLES, Session, Topic, use_topic};
use crate::ui::steps::Steps;
use crate::view::keys::{self, KeyPress};
use crate::view::screen::{Block, Row};
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/terminal.module.css");

/// Cells that are measured together, so that a fraction of a pixel counts.
const PROBE_CELLS: f64 = 20.0;

/// What the pane shows.
#[derive(Properties, PartialEq)]
pub struct TerminalPaneProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// The pane.
#[function_component]
pub fn TerminalPane(props: &TerminalPaneProps) -> Html {
    let session = &props.session;
    let front = use_state_eq(|| 0usize);
    use_topic(session, Topic::Consoles);
    use_topic(session, Topic::Screen(*front));
    let texts = props.language.texts();
    let touched = use_state_eq(|| false);
    let keys = use_node_ref();
    let (fresh, busy) = session.console(*front).map_or((false, true), |console| (console.fresh, console.busy));
    let on_typed = {
        let (keys, touched) = (keys.clone(), touched.clone());
        Callback::from(move |()| {
            touched.set(true);
            // On phones the keyboard would cover what is about to happen.
            if let (Some(keys), false) = (dom::html(&keys), dom::matches_media("(pointer: coarse)")) {
                dom::focus(&keys);
            }
        })
    };
    let tab = |at: usize| {
        let front = front.clone();
        let current = if *front == at { "true" } else { "false" };
        let onclick = Callback::from(move |_: MouseEvent| front.set(at));
        let name = fill(texts.terminal_tab, &[&(at + 1).to_string()]);
        html! { <button type="button" class={style::tab} key={at} aria-pressed={current} {onclick}>{ name }</button> }
    };
    let open = {
        let (session, front) = (session.clone(), front.clone());
        Callback::from(move |_: MouseEvent| front.set(session.open_console()))
    };
    let consoles = session.consoles();
    html! {
        <section class={style::pane} id="terminal" tabindex="-1" aria-label={texts.terminal}>
            <div class={style::bar} role="group" aria-label={texts.terminal}>
                { for (0..consoles).map(tab) }
                if consoles < MAX_CONSOLES {
                    <button type="button" class={style::open} aria-label={texts.terminal_open} title={texts.terminal_open}
                        onclick={open}>{ "+" }</button>
                }
            </div>
            <Terminal key={*front} session={session.clone()} console={*front} language={props.language} keys={keys} />
            if !session.options().embedded {
                <Steps session={session.clone()} language={props.language} console={*front} {busy}
                    fresh={fresh && !*touched && consoles == 1} {on_typed} />
            }
        </section>
    }
}

/// Which terminal.
#[derive(Properties, PartialEq)]
struct TerminalProps {
    session: Session,
    console: usize,
    language: Language,
    keys: NodeRef,
}

/// A terminal: rows of text, and a text area at the cursor into which everything is typed, so that input methods and
/// the keyboards of phones work.
#[function_component]
fn Terminal(props: &TerminalProps) -> Html {
    let (session, at) = (&props.session, props.console);
    use_topic(session, Topic::Screen(at));
    let texts = props.language.texts();
    let view = use_node_ref();
    let live = use_node_ref();
    let probe = use_node_ref();
    let spoken = use_node_ref();
    let keys = props.keys.clone();
    let pinned = use_mut_ref(|| true);
    let away = use_state_eq(|| false);
    let ctrl = use_state_eq(|| false);
    let composing = use_state_eq(|| false);

    use_size(session, at, &view, &probe);
    use_clipboard(session, at, &view, &keys);
    {
        // The first terminal takes the keyboard, where that does not open one on the screen.
        let (keys, session) = (keys.clone(), session.clone());
        use_effect_with((), move |()| {
            // Nor is it taken from the page around.
            if session.options().embedded {
                return;
            }
            if let (Some(keys), false) = (dom::html(&keys), dom::matches_media("(pointer: coarse)")) {
                dom::focus(&keys);
            }
        });
    }

    let Some(console) = session.console(at) else { return Html::default() };
    let shown = console.shown;
    let (busy, ready) = (console.busy, console.ready);
    {
        let (view, live, pinned) = (view.clone(), live.clone(), Rc::clone(&pinned));
        let cursor = shown.cursor;
        use_effect(move || {
            if let (Some(live), Some((col, row))) = (dom::html(&live), cursor) {
                dom::set_style(&live, "--col", &col.to_string());
                dom::set_style(&live, "--row", &row.to_string());
            }
            if let (Some(view), true) = (dom::html(&view), *pinned.borrow()) {
                view.set_scroll_top(view.scroll_height());
            }
        });
    }
    {
        // What was printed is read out when the prompt is back, not letter by letter.
        let (session, spoken) = (session.clone(), spoken.clone());
        use_effect(move || {
            if let (false, Some(log)) = (busy, dom::html(&spoken)) {
                let text = session.take_spoken(at);
                if !text.trim().is_empty() {
                    log.set_text_content(Some(&text));
                }
            }
        });
    }

    let to_end = {
        let (view, pinned, away) = (view.clone(), Rc::clone(&pinned), away.clone());
        Callback::from(move |()| {
            *pinned.borrow_mut() = true;
            away.set(false);
            if let Some(view) = dom::html(&view) {
                view.set_scroll_top(view.scroll_height());
            }
        })
    };
    let onscroll = {
        let (view, pinned, away) = (view.clone(), Rc::clone(&pinned), away.clone());
        Callback::from(move |_: Event| {
            if let Some(view) = dom::html(&view) {
                let below = view.scroll_height() - view.scroll_top() - view.client_height();
                *pinned.borrow_mut() = below < 12;
                away.set(below > view.client_height() / 2);
            }
        })
    };
    let onkeydown = {
        let (session, view, keys, to_end, ctrl) =
            (session.clone(), view.clone(), keys.clone(), to_end.clone(), ctrl.clone());
        Callback::from(move |event: KeyboardEvent| {
            let taken = if event.is_composing() {
                false
            } else {
                on_key(&session, at, &event, view.clone(), &keys, &to_end, *ctrl)
            };
            if taken {
                ctrl.set(false);
                event.prevent_default();
            }
        })
    };
    let oninput = {
        let (session, to_end, ctrl, composing) = (session.clone(), to_end.clone(), ctrl.clone(), composing.clone());
        Callback::from(move |event: InputEvent| {
            let inner: &DomInputEvent = event.unchecked_ref();
            composing.set(inner.is_composing());
            if !inner.is_composing() {
                let armed = *ctrl;
                ctrl.set(false);
                take_typed(&session, at, event.target_dyn_into(), armed);
                to_end.emit(());
            }
        })
    };
    let on_ctrl = {
        let ctrl = ctrl.clone();
        Callback::from(move |()| ctrl.set(!*ctrl))
    };
    let onmouseup = {
        let keys = keys.clone();
        Callback::from(move |_: MouseEvent| {
            if let (Some(keys), None) = (dom::html(&keys), selected_text()) {
                dom::focus(&keys);
            }
        })
    };
    let cells = "M".repeat(PROBE_CELLS as usize);
    let jump = to_end.reform(|_: MouseEvent| ());
    html! {
        <div class={style::terminal} data-capas="terminal" data-ready={ready.then_some("true")}
            data-busy={busy.then_some("true")}>
            <div class={style::view} ref={view} {onscroll} {onkeydown} {onmouseup} tabindex="-1" translate="no">
                <span class={style::probe} ref={probe} aria-hidden="true">{ cells }</span>
                { for shown.history.iter().map(|block| html! { <Past key={block.id} block={Rc::clone(block)} /> }) }
                <div class={style::live} ref={live}>
                    { for shown.rows.iter().map(|row| html! { <Line key={row.id} row={Rc::clone(row)} /> }) }
                    if shown.cursor.is_some() {
                        <span class={style::cursor} aria-hidden="true"></span>
                    }
                    <textarea class={classes!(style::keys, (*composing).then_some(style::composing))} ref={keys}
                        data-capas="keys" rows="1" autocomplete="off" autocapitalize="none" spellcheck="false"
                        autocorrect="off" aria-label={texts.terminal_input} aria-describedby="terminal-hint" {oninput} />
                </div>
            </div>
            if *away {
                <button type="button" class={style::to_end} aria-label={texts.to_prompt} title={texts.to_prompt}
                    onclick={jump}>{ "↓" }</button>
            }
            <p class={style::hidden} id="terminal-hint">{ texts.terminal_hint }</p>
            <div class={style::hidden} role="log" ref={spoken}></div>
            <KeyBar session={session.clone()} console={at} language={props.language} ctrl={*ctrl} {on_ctrl} />
        </div>
    }
}

/// What a key does: scroll, copy, or type. Whether the browser is to leave it alone.
fn on_key(
    session: &Session,
    at: usize,
    event: &KeyboardEvent,
    view: NodeRef,
    keys: &NodeRef,
    to_end: &Callback<()>,
    ctrl_armed: bool,
) -> bool {
    let key = event.key();
    let (ctrl, shift) = (event.ctrl_key(), event.shift_key());
    if shift && !ctrl && matches!(key.as_str(), "PageUp" | "PageDown") {
        if let Some(view) = dom::html(&view) {
            let page = view.client_height() - 20;
            view.scroll_by_with_x_and_y(0.0, f64::from(if key == "PageUp" { -page } else { page }));
        }
        return true;
    }
    // Ctrl-C copies where something is selected, and interrupts where nothing is; Ctrl-Shift-C always copies.
    if ctrl && key.eq_ignore_ascii_case("c") && (shift || selected_text().is_some()) {
        if let Some(document) = dom::document() {
            copy(&document);
        }
        return true;
    }
    let alt_graph = event.get_modifier_state("AltGraph");
    let press = KeyPress {
        key: &key,
        ctrl: ctrl || (ctrl_armed && key.chars().count() == 1),
        alt: event.alt_key(),
        shift,
        meta: event.meta_key(),
        alt_graph,
    };
    let taken = session.key(at, press);
    if taken {
        to_end.emit(());
    }
    // After a selection the rows have the keyboard: what is typed goes to the text area all the same.
    let modifier = matches!(key.as_str(), "Shift" | "Control" | "Alt" | "AltGraph" | "Meta" | "Tab");
    let shortcut = event.meta_key() || (ctrl && !taken);
    if !modifier
        && !shortcut
        && let Some(keys) = dom::html(keys)
    {
        dom::focus(&keys);
    }
    taken
}

fn take_typed(session: &Session, at: usize, keys: Option<HtmlTextAreaElement>, ctrl_armed: bool) {
    let Some(keys) = keys else { return };
    let text = keys.value();
    keys.set_value("");
    if text.is_empty() {
        return;
    }
    let mut chars = text.chars();
    if let (true, Some(c), None) = (ctrl_armed, chars.next(), chars.next())
        && let Some(byte) = keys::control(c, false)
    {
        return session.send(at, &[byte]);
    }
    session.send(at, text.replace('\n', "\r").as_bytes());
}

/// The selected text, unless nothing is selected.
fn selected_text() -> Option<String> {
    let selection = web_sys::window()?.get_selection().ok()??;
    if selection.is_collapsed() {
        return None;
    }
    Some(String::from(selection.to_string())).filter(|text| !text.is_empty())
}

fn copy(document: &web_sys::Document) {
    // The event `copy` that follows puts the text together.
    if let Ok(command) = js_sys::Reflect::get(document, &"execCommand".into())
        && let Some(command) = command.dyn_ref::<js_sys::Function>()
    {
        command.call1(document, &"copy".into()).unwrap_or_default();
    }
}

/// The selected rows as text: rows that a long line was wrapped into are one line again.
fn selected_rows(view: &HtmlElement) -> Option<String> {
    let selection = web_sys::window()?.get_selection().ok()??;
    if selection.is_collapsed() || selection.range_count() == 0 {
        return None;
    }
    let range = selection.get_range_at(0).ok()?;
    let rows = view.query_selector_all("[data-capas=row]").ok()?;
    let mut text = String::new();
    let mut open = false;
    for at in 0..rows.length() {
        let Some(row) = rows.item(at).filter(|row| range.intersects_node(row).unwrap_or(false)) else { continue };
        if open {
            text.push('\n');
        }
        let part = range.clone_range();
        let holds = |node: web_sys::Node| row.contains(Some(&node));
        if !range.start_container().is_ok_and(holds) {
            part.set_start(&row, 0).ok()?;
        }
        if !range.end_container().is_ok_and(holds) {
            part.set_end(&row, row.child_nodes().length()).ok()?;
        }
        text.push_str(&String::from(part.to_string()));
        let element: &HtmlElement = row.unchecked_ref();
        open = !element.has_attribute("data-wrapped");
    }
    Some(text)
}

/// Copies what is selected in the rows, and pastes into the terminal wherever in it the keyboard is.
#[hook]
fn use_clipboard(session: &Session, at: usize, view: &NodeRef, keys: &NodeRef) {
    let (session, view, keys) = (session.clone(), view.clone(), keys.clone());
    use_effect_with(at, move |at| {
        let at = *at;
        let mut listening = Vec::new();
        if let Some(element) = dom::html(&view) {
            let cancelling = EventListenerOptions::enable_prevent_default();
            let rows = element.clone();
            listening.push(EventListener::new_with_options(&element, "copy", cancelling, move |event| {
                let event: &ClipboardEvent = event.unchecked_ref();
                if let (Some(clipboard), Some(text)) = (event.clipboard_data(), selected_rows(&rows)) {
                    clipboard.set_data("text/plain", &text).unwrap_or_default();
                    event.prevent_default();
                    if let Some(selection) = web_sys::window().and_then(|window| window.get_selection().ok().flatten())
                    {
                        selection.remove_all_ranges().unwrap_or_default();
                    }
                }
            }));
            let typing = session.clone();
            listening.push(EventListener::new_with_options(&element, "paste", cancelling, move |event| {
                let event: &ClipboardEvent = event.unchecked_ref();
                event.prevent_default();
                let text = event.clipboard_data().and_then(|clipboard| clipboard.get_data("text/plain").ok());
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    typing.paste(at, &text);
                }
            }));
        }
        if let Some(area) = dom::html(&keys) {
            let typing = session.clone();
            listening.push(EventListener::new(&area.clone(), "compositionend", move |_| {
                take_typed(&typing, at, area.clone().dyn_into().ok(), false);
            }));
        }
        move || drop(listening)
    });
}

/// Gives the machine the terminal's size in cells, now and whenever it changes.
#[hook]
fn use_size(session: &Session, at: usize, view: &NodeRef, probe: &NodeRef) {
    let (session, view, probe) = (session.clone(), view.clone(), probe.clone());
    use_effect_with(at, move |at| {
        let at = *at;
        let measure = {
            let view = view.clone();
            move || {
                if let (Some(view), Some(probe)) = (dom::html(&view), dom::html(&probe)) {
                    fit(&session, at, &view, &probe);
                }
            }
        };
        measure();
        let on_resize = Closure::<dyn FnMut()>::new(measure);
        let observer = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(view)) = (&observer, dom::html(&view)) {
            observer.observe(&view);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(on_resize);
        }
    });
}

fn fit(session: &Session, at: usize, view: &HtmlElement, probe: &HtmlElement) {
    let cell = probe.get_bounding_client_rect();
    let (width, height) = (cell.width() / PROBE_CELLS, cell.height());
    let style = web_sys::window().and_then(|window| window.get_computed_style(view).ok().flatten());
    let padding = |side: &str| -> f64 {
        let value = style.as_ref().and_then(|style| style.get_property_value(side).ok()).unwrap_or_default();
        value.trim_end_matches("px").parse().unwrap_or(0.0)
    };
    // Not laid out yet, or hidden: there is no size to tell.
    if width <= 0.0 || height <= 0.0 || view.client_width() == 0 {
        return;
    }
    let inner_width = f64::from(view.client_width()) - padding("padding-left") - padding("padding-right");
    let inner_height = f64::from(view.client_height()) - padding("padding-top") - padding("padding-bottom");
    let cols = (inner_width / width).floor().clamp(20.0, 400.0);
    let rows = (inner_height / height).floor().clamp(3.0, 200.0);
    session.resize(at, cols as u16, rows as u16);
}

/// Rows that have scrolled away.
#[derive(Properties, PartialEq)]
struct PastProps {
    block: Rc<Block>,
}

#[function_component]
fn Past(props: &PastProps) -> Html {
    html! {
        <div class={style::past}>
            { for props.block.rows.iter().map(|row| html! { <Line key={row.id} row={Rc::clone(row)} /> }) }
        </div>
    }
}

/// One row. Drawn anew only when it is another one.
#[derive(Properties, PartialEq)]
struct LineProps {
    row: Rc<Row>,
}

#[function_component]
fn Line(props: &LineProps) -> Html {
    let run = |run: &crate::view::screen::Run| {
        let class = paint::classes(run);
        if class.is_empty() {
            html! { { run.text.clone() } }
        } else {
            html! { <span {class}>{ run.text.clone() }</span> }
        }
    };
    html! {
        <div class={style::row} data-capas="row" data-wrapped={props.row.wrapped.then_some("")}>
            { for props.row.runs.iter().map(run) }
        </div>
    }
}
