//! One terminal: rows of text, the keyboard, and what shows over them.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, HtmlElement, HtmlTextAreaElement, InputEvent as DomInputEvent, KeyboardEvent};
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::keybar::KeyBar;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::keys::{self, KeyPress};
use crate::view::texts::{Language, fill};
use crate::view::transcript;

use super::clipboard::{copy, selected_text, use_clipboard};
use super::rows::{Mark, Past, line};
use super::search::Search;

use super::style;

/// Cells that are measured together, so that a fraction of a pixel counts.
const PROBE_CELLS: u32 = 100;
/// Scrolling is looked at in steps of so many rows.
const STEP_ROWS: usize = 40;

/// Which terminal.
#[derive(Properties, PartialEq)]
pub struct TerminalProps {
    /// The machine.
    pub session: Session,
    /// The number of the terminal.
    pub console: usize,
    /// The language.
    pub language: Language,
    /// Where its text area is to be found.
    pub keys: NodeRef,
    /// The height of a row.
    pub row_px: u32,
    /// The size of letters.
    pub letters: f64,
    /// Screen readers read the log instead of the rows.
    pub quiet: bool,
    /// The search is open.
    pub searching: bool,
    /// Opens or closes it.
    pub on_search: Callback<bool>,
    /// It got the keyboard.
    pub on_focus: Callback<()>,
}

/// The menu of an id that was clicked: the id, and where.
#[derive(Clone, PartialEq)]
struct Clicked {
    id: String,
    x: f64,
    y: f64,
}

/// A terminal: rows of text, and a text area at the cursor into which everything is typed, so that input methods and
/// the keyboards of phones work.
#[function_component]
pub fn Terminal(props: &TerminalProps) -> Html {
    let (session, at) = (&props.session, props.console);
    use_topic(session, Topic::Screen(at));
    let texts = props.language.texts();
    let view = use_node_ref();
    let live = use_node_ref();
    let probe = use_node_ref();
    let keys = props.keys.clone();
    let pinned = use_mut_ref(|| true);
    let last_top = use_mut_ref(|| 0);
    let away = use_state_eq(|| false);
    let ctrl = use_state_eq(|| false);
    let composing = use_state_eq(|| false);

    let near = use_state_eq(|| None::<usize>);
    let needle = use_state_eq(AttrValue::default);
    let looked_at = use_state_eq(|| None::<u64>);
    let clicked = use_state_eq(|| None::<Clicked>);
    let row_px = props.row_px;

    use_size(session, at, &view, &probe, props.letters);
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
    let (busy, ready) = (console.state.busy, console.state.ready);
    {
        let (view, live, pinned) = (view.clone(), live.clone(), Rc::clone(&pinned));
        let cursor = shown.cursor;
        use_effect(move || {
            if let (Some(live), Some((col, row))) = (dom::html(&live), cursor) {
                dom::set_style(&live, "--col", &col.to_string());
                dom::set_style(&live, "--row", &row.to_string());
            }
            dom::once_drawn(move || show_end(&view, &pinned));
        });
    }
    let to_end = {
        let (view, pinned, away, near) = (view.clone(), Rc::clone(&pinned), away.clone(), near.clone());
        Callback::from(move |()| {
            *pinned.borrow_mut() = true;
            away.set(false);
            near.set(None);
            let (view, pinned) = (view.clone(), Rc::clone(&pinned));
            dom::once_drawn(move || show_end(&view, &pinned));
        })
    };
    let onscroll = {
        let (view, pinned, away, near) = (view.clone(), Rc::clone(&pinned), away.clone(), near.clone());
        let last_top = Rc::clone(&last_top);
        Callback::from(move |_: Event| {
            if let Some(view) = dom::html(&view) {
                let below = view.scroll_height() - view.scroll_top() - view.client_height();
                let top = view.scroll_top().max(0);
                let is_up = top < std::mem::replace(&mut *last_top.borrow_mut(), top);
                // What is printed grows below: only who scrolls up leaves the end.
                let stays = below < 12 || (*pinned.borrow() && !is_up);
                *pinned.borrow_mut() = stays;
                let row = top as usize / row_px.max(1) as usize;
                near.set((!stays).then_some(row / STEP_ROWS * STEP_ROWS));
                away.set(!stays && below > view.client_height() / 2);
            }
        })
    };
    let onkeydown = {
        let (session, view, keys, to_end, ctrl) =
            (session.clone(), view.clone(), keys.clone(), to_end.clone(), ctrl.clone());
        let on_search = props.on_search.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.ctrl_key() && event.shift_key() && event.key().eq_ignore_ascii_case("f") {
                event.prevent_default();
                return on_search.emit(true);
            }
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
        let (keys, clicked, view) = (keys.clone(), clicked.clone(), view.clone());
        Callback::from(move |event: MouseEvent| {
            if selected_text().is_none() {
                clicked.set(dom::html(&view).and_then(|view| id_at(&event, &view)));
            }
            if let (Some(keys), None) = (dom::html(&keys), selected_text()) {
                dom::focus(&keys);
            }
        })
    };
    let cells = "M".repeat(PROBE_CELLS as usize);
    let past = transcript::past_rows(&shown);
    let found = if props.searching { transcript::find(&shown, &needle) } else { Vec::new() };
    let found_at = found.iter().position(|(_, id)| Some(*id) == *looked_at).or(found.len().checked_sub(1));
    let mark = match props.searching {
        true => Mark { needle: (*needle).clone(), row: found_at.and_then(|at| found.get(at)).map(|found| found.1) },
        false => Mark::default(),
    };
    {
        // What was found is scrolled to the middle.
        let (view, pinned) = (view.clone(), Rc::clone(&pinned));
        let row = found_at.and_then(|at| found.get(at)).map(|found| found.0);
        use_effect_with((mark.clone(), props.searching), move |_| {
            if let (Some(view), Some(row)) = (dom::html(&view), row) {
                *pinned.borrow_mut() = false;
                view.set_scroll_top((row as u32 * row_px) as i32 - view.client_height() / 2);
            }
        });
    }
    let on_step = {
        let (looked_at, found) = (looked_at.clone(), found.clone());
        Callback::from(move |by: isize| {
            let (Some(at), count) = (found_at, found.len()) else { return };
            let next = (at as isize + by).rem_euclid(count as isize) as usize;
            looked_at.set(found.get(next).map(|found| found.1));
        })
    };
    let on_needle = {
        let (needle, looked_at) = (needle.clone(), looked_at.clone());
        Callback::from(move |text: AttrValue| {
            looked_at.set(None);
            needle.set(text);
        })
    };
    let on_close = {
        let (on_search, keys, to_end) = (props.on_search.clone(), keys.clone(), to_end.clone());
        Callback::from(move |()| {
            on_search.emit(false);
            to_end.emit(());
            if let Some(keys) = dom::html(&keys) {
                dom::focus(&keys);
            }
        })
    };
    let fits = shown.rows.len();
    let onfocusin = props.on_focus.reform(|_: FocusEvent| ());
    let hint = format!("terminal-hint-{at}");
    let jump = to_end.reform(|_: MouseEvent| ());
    html! {
        <div class={style::terminal} data-capas="terminal" data-console={at.to_string()} data-ready={ready.then_some("true")}
            data-busy={busy.then_some("true")} {onfocusin}>
            if props.searching {
                <Search language={props.language} count={found.len()} at={found_at.unwrap_or(0)} needle={(*needle).clone()}
                    {on_needle} {on_step} {on_close} />
            }
            <div class={style::view} ref={view} {onscroll} {onkeydown} {onmouseup} tabindex="-1" translate="no">
                <span class={style::probe} ref={probe} aria-hidden="true">{ cells }</span>
                if past > 0 {
                    <Past history={Rc::clone(&shown.history)} near={*near} {fits} {row_px} quiet={props.quiet}
                        mark={mark.clone()} />
                }
                <div class={style::live} ref={live}>
                    { for shown.rows.iter().map(|row| line(row, props.quiet, &mark)) }
                    if shown.cursor.is_some() {
                        <span class={style::cursor} aria-hidden="true"></span>
                    }
                    <textarea class={classes!(style::keys, (*composing).then_some(style::composing))} ref={keys}
                        data-capas="keys" rows="1" autocomplete="off" autocapitalize="none" spellcheck="false"
                        autocorrect="off" aria-label={texts.terminal_input} aria-describedby={hint.clone()} {oninput} />
                </div>
            </div>
            if *away {
                <button type="button" class={style::to_end} aria-label={texts.to_prompt} title={texts.to_prompt}
                    onclick={jump}>{ "↓" }</button>
            }
            <p class={style::hidden} id={hint}>{ texts.terminal_hint }</p>
            if let Some(clicked_now) = &*clicked {
                <IdMenu session={session.clone()} console={at} language={props.language} clicked={clicked_now.clone()}
                    on_done={Callback::from({ let clicked = clicked.clone(); move |()| clicked.set(None) })} />
            }
            <KeyBar session={session.clone()} console={at} language={props.language} ctrl={*ctrl} {on_ctrl} />
        </div>
    }
}

/// Scrolls to the end, unless the reader has scrolled away from it.
fn show_end(view: &NodeRef, pinned: &RefCell<bool>) {
    if let (Some(view), true) = (dom::html(view), *pinned.borrow()) {
        view.set_scroll_top(view.scroll_height());
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

pub fn take_typed(session: &Session, at: usize, keys: Option<HtmlTextAreaElement>, ctrl_armed: bool) {
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

/// Gives the machine the terminal's size in cells, now and whenever it changes.
#[hook]
fn use_size(session: &Session, at: usize, view: &NodeRef, probe: &NodeRef, letters: f64) {
    let (session, view, probe) = (session.clone(), view.clone(), probe.clone());
    use_effect_with((at, letters.to_bits()), move |(at, _)| {
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
    // Not the bounding rectangle: that of a page that is scaled is scaled too, and the view's own size is not.
    let (width, height) = (f64::from(probe.offset_width()) / f64::from(PROBE_CELLS), f64::from(probe.offset_height()));
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

/// The id that was clicked.
fn id_at(event: &MouseEvent, view: &HtmlElement) -> Option<Clicked> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let id = target.closest("[data-id]").ok()??.get_attribute("data-id")?;
    let around = view.parent_element()?.dyn_into::<HtmlElement>().ok()?;
    let rect = around.get_bounding_client_rect();
    // A page that is scaled has rectangles that are, too.
    let scale = if around.offset_width() > 0 { rect.width() / f64::from(around.offset_width()) } else { 1.0 };
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let x = (f64::from(event.client_x()) - rect.left()) / scale;
    let y = (f64::from(event.client_y()) - rect.top()) / scale;
    Some(Clicked { id, x, y })
}

#[derive(Properties, PartialEq)]
struct IdMenuProps {
    session: Session,
    console: usize,
    language: Language,
    clicked: Clicked,
    on_done: Callback<()>,
}

/// What can be done with an id.
#[function_component]
fn IdMenu(props: &IdMenuProps) -> Html {
    let texts = props.language.panes();
    let menu = use_node_ref();
    {
        let menu = menu.clone();
        use_effect_with(props.clicked.clone(), move |clicked| {
            if let Some(menu) = dom::html(&menu) {
                let width = menu.parent_element().map_or(0, |parent| parent.client_width()) - menu.offset_width() - 8;
                dom::set_style(&menu, "left", &format!("{}px", clicked.x.min(f64::from(width)).max(8.0)));
                dom::set_style(&menu, "top", &format!("{}px", clicked.y + 14.0));
            }
        });
    }
    let id = &props.clicked.id;
    let item = |name: &'static str, act: Box<dyn Fn()>| {
        let on_done = props.on_done.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            act();
            on_done.emit(());
        });
        html! { <button type="button" class={style::item} {onclick}>{ name }</button> }
    };
    let insert = {
        let (session, console, id) = (props.session.clone(), props.console, id.clone());
        Box::new(move || session.insert(console, &id))
    };
    let copied = id.clone();
    let find = props.session.drawn(id).map(|selector| {
        let session = props.session.clone();
        item(texts.id_find, Box::new(move || session.point_at(&selector)))
    });
    html! {
        <div class={classes!(style::menu, style::at_id)} ref={menu} role="group" aria-label={fill(texts.id_menu, &[id])}>
            { item(texts.id_insert, insert) }
            { item(texts.id_copy, Box::new(move || dom::copy_text(&copied))) }
            { for find }
        </div>
    }
}
