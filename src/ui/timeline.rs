//! The timeline: undo, redo and a mark for every command along the page's lower edge, and what the chosen command did.

use std::rc::Rc;

use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use crate::ui::dom;
use crate::ui::session::time::TimeView;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::explain::Explained;
use crate::view::texts::{Language, fill};
use crate::view::timeline::{Effect, Tick};

stylance::import_crate_style!(style, "src/ui/timeline.module.css");

/// What the bar needs.
#[derive(Properties, PartialEq)]
pub struct TimelineProps {
    /// The session.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// The bar.
#[function_component]
pub fn Timeline(props: &TimelineProps) -> Html {
    use_topic(&props.session, Topic::Time);
    let texts = props.language.time();
    let time = props.session.time();
    let chosen = use_state_eq(|| None::<usize>);
    let track = use_node_ref();
    {
        // The moment that is looked at stays in sight.
        let track = track.clone();
        use_effect_with((time.at, time.ticks.len()), move |&(at, all)| {
            dom::once_drawn(move || {
                if let Some(track) = dom::html(&track) {
                    let width = f64::from(track.scroll_width());
                    let place = if at == all { f64::MAX } else { width * at as f64 / all as f64 };
                    let left = place - f64::from(track.client_width()) / 2.0;
                    track.set_scroll_left(left.clamp(0.0, width) as i32);
                }
            });
        });
    }
    let act = |act: fn(&Session)| {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| act(&session))
    };
    let close = {
        let (chosen, session) = (chosen.clone(), props.session.clone());
        Callback::from(move |()| {
            chosen.set(None);
            session.forget_comparison();
        })
    };
    let onkeydown = {
        let (session, chosen, close, time) = (props.session.clone(), chosen.clone(), close.clone(), time.clone());
        Callback::from(move |event: KeyboardEvent| on_key(&event, &session, &time, &chosen, &close))
    };
    let tick = |(at, tick): (usize, &Rc<Tick>)| {
        let (chosen, session) = (chosen.clone(), props.session.clone());
        let is_chosen = *chosen == Some(at);
        let is_focusable = at == chosen.unwrap_or(time.at.saturating_sub(1));
        let onclick = Callback::from(move |_: MouseEvent| {
            session.forget_comparison();
            chosen.set((!is_chosen).then_some(at));
        });
        let effect = effect_name(texts.effects, tick.effect());
        let name = fill(texts.tick, &[&(at + 1).to_string(), &tick.text, effect]);
        html! {
            <button type="button" key={at} title={tick.text.clone()} aria-label={name} aria-expanded={is_chosen.to_string()}
                data-at={at.to_string()} tabindex={if is_focusable { "0" } else { "-1" }} {onclick}
                class={classes!(style::tick, effect_class(tick.effect()), tick.is_inside.then_some(style::inside),
                    (at >= time.at).then_some(style::undone))}><i></i></button>
        }
    };
    let detail = chosen.and_then(|at| Some((at, time.ticks.get(at).cloned()?)));
    // What the last command did, and why it was refused, a click away.
    let last = time.at.checked_sub(1).and_then(|at| Some((at, time.ticks.get(at)?)));
    let ask = last.filter(|(at, _)| *chosen != Some(*at)).and_then(|(at, tick)| {
        let is_refused = !props.session.explain(tick).is_empty();
        if !is_refused && tick.deeds.is_empty() && tick.refused.is_empty() {
            return None;
        }
        let (chosen, session) = (chosen.clone(), props.session.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            session.forget_comparison();
            chosen.set(Some(at));
        });
        Some(html! {
            <button type="button" class={classes!(style::ask, is_refused.then_some(style::refused))} data-capas="ask" {onclick}>
                { if is_refused { texts.ask_why } else { texts.ask } }
            </button>
        })
    });
    let position = fill(texts.position, &[&time.at.to_string(), &time.ticks.len().to_string()]);
    html! {
        <section class={classes!(style::bar, time.is_back().then_some(style::back))} aria-label={texts.timeline}
            data-capas="timeline" data-at={time.at.to_string()} data-commands={time.ticks.len().to_string()}>
            if let Some((at, tick)) = detail {
                <Detail session={props.session.clone()} language={props.language} {at} {tick} time={time.clone()}
                    on_close={close} />
            } else if time.is_back() {
                <p class={style::past} role="status">{ texts.looking_back }</p>
            }
            <button type="button" class={style::step} aria-label={texts.undo} title={texts.undo} data-capas="undo"
                disabled={time.earlier().is_none()} onclick={act(Session::undo)}>{ arrow("M6 3 2.5 6.5 6 10M3 6.5h6a4 4 0 0 1 0 8H7") }</button>
            <button type="button" class={style::step} aria-label={texts.redo} title={texts.redo} data-capas="redo"
                disabled={time.later().is_none()} onclick={act(Session::redo)}>{ arrow("M10 3l3.5 3.5L10 10M13 6.5H7a4 4 0 0 0 0 8h2") }</button>
            if time.ticks.is_empty() {
                <p class={style::empty}>{ texts.empty }</p>
            } else {
                <div class={style::track} ref={track} role="group" aria-label={texts.timeline} {onkeydown}>
                    { for time.ticks.iter().enumerate().map(tick) }
                </div>
                <span class={style::position}>{ position }</span>
            }
            { ask }
            if time.is_back() {
                <button type="button" class={style::end} onclick={act(|session| session.go_to(usize::MAX))}>
                    { texts.to_end }
                </button>
            }
            if let Some(progress) = time.progress {
                <div class={style::progress} role="status">
                    <p>{ fill(texts.replaying, &[&progress.to_string()]) }</p>
                    <progress max="100" value={progress.to_string()}></progress>
                    <button type="button" onclick={act(Session::stop_replay)}>{ texts.stop }</button>
                </div>
            }
        </section>
    }
}

/// Arrow keys walk along the marks, as in a toolbar; Escape closes what is open.
fn on_key(
    event: &KeyboardEvent,
    session: &Session,
    time: &TimeView,
    chosen: &UseStateHandle<Option<usize>>,
    close: &Callback<()>,
) {
    let focused = dom::document().and_then(|document| document.active_element());
    let at = focused.and_then(|element| element.get_attribute("data-at")).and_then(|at| at.parse::<usize>().ok());
    let Some(at) = at else { return };
    let last = time.ticks.len().saturating_sub(1);
    let next = match event.key().as_str() {
        "ArrowRight" => (at + 1).min(last),
        "ArrowLeft" => at.saturating_sub(1),
        "Home" => 0,
        "End" => last,
        "Escape" if chosen.is_some() => {
            close.emit(());
            return;
        }
        _ => return,
    };
    event.prevent_default();
    if chosen.is_some() {
        session.forget_comparison();
        chosen.set(Some(next));
    }
    let bar = event.current_target().map(wasm_bindgen::JsCast::unchecked_into::<HtmlElement>);
    let mark = bar.and_then(|bar| bar.query_selector(&format!("[data-at='{next}']")).ok().flatten());
    if let Some(mark) = mark {
        dom::focus(&wasm_bindgen::JsCast::unchecked_into(mark));
    }
}

const fn effect_class(effect: Effect) -> &'static str {
    match effect {
        Effect::Nothing => style::nothing,
        Effect::Added => style::added,
        Effect::Removed => style::removed,
        Effect::Changed => style::changed,
        Effect::Failed => style::failed,
    }
}

const fn effect_name(names: [&'static str; 5], effect: Effect) -> &'static str {
    let [nothing, added, removed, changed, failed] = names;
    match effect {
        Effect::Nothing => nothing,
        Effect::Added => added,
        Effect::Removed => removed,
        Effect::Changed => changed,
        Effect::Failed => failed,
    }
}

fn arrow(path: &'static str) -> Html {
    html! {
        <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.7"
            stroke-linecap="round" stroke-linejoin="round"><path d={path} /></svg>
    }
}

#[derive(Properties, PartialEq)]
struct DetailProps {
    session: Session,
    language: Language,
    at: usize,
    tick: Rc<Tick>,
    time: TimeView,
    on_close: Callback<()>,
}

/// The chosen command: what it did, and the ways from it.
#[function_component]
fn Detail(props: &DetailProps) -> Html {
    let (texts, tick, at) = (props.language.time(), &props.tick, props.at);
    let go = |to: usize| {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| session.go_to(to))
    };
    let compare = {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| session.compare(at))
    };
    let close = props.on_close.reform(|_: MouseEvent| ());
    let deeds = props.language.deeds();
    let after =
        (at + 1..props.time.ticks.len()).find(|at| props.time.ticks.get(*at).is_some_and(|tick| tick.is_separate));
    let status = tick.status.filter(|status| *status != 0).map(|status| fill(texts.status, &[&status.to_string()]));
    let why = |explained: &Explained| {
        let words = props.language.explain();
        let repair = |command: &String| {
            let (session, line) = (props.session.clone(), command.clone());
            let onclick = Callback::from(move |_: MouseEvent| session.propose(&line));
            let name = fill(words.insert, &[command]);
            html! { <button type="button" class={style::repair} title={name.clone()} aria-label={name} {onclick}>
            <code>{ command }</code></button> }
        };
        html! {
            <div class={style::why} data-capas="why">
                <h3>{ words.why }</h3>
                <p>{ words.sentence(explained) }</p>
                if !explained.repairs.is_empty() {
                    <h3>{ words.repairs }</h3>
                    { for explained.repairs.iter().map(repair) }
                }
            </div>
        }
    };
    let compared = props.time.compared.as_ref().filter(|(index, _)| *index == at);
    html! {
        <div class={style::detail} role="dialog" aria-label={tick.text.clone()} data-capas="command">
            <header>
                <code>{ &tick.text }</code>
                <button type="button" class={style::close} aria-label={props.language.texts().close} onclick={close}>
                    { "×" }</button>
            </header>
            <p class={style::facts}>
                <b class={classes!(style::mark, effect_class(tick.effect()))}></b>
                { effect_name(texts.effects, tick.effect()) }
                if tick.is_inside { { " · " }{ texts.inside } }
                if let Some(status) = status { { " · " }{ status } }
            </p>
            { for props.session.explain(tick).iter().map(why) }
            <h3>{ texts.deeds }</h3>
            if tick.deeds.is_empty() {
                <p class={style::facts}>{ texts.deeds_none }</p>
            } else {
                <ul>
                    { for tick.deeds.iter().map(|deed| html! { <li>{ deeds.sentence(deed) }</li> }) }
                    if tick.more > 0 {
                        <li>{ fill(texts.deeds_more, &[&tick.more.to_string()]) }</li>
                    }
                </ul>
            }
            if let Some((_, changes)) = compared {
                <div data-capas="compared" role="status">
                    <h3>{ texts.compared }</h3>
                    if changes.is_empty() {
                        <p class={style::facts}>{ texts.compared_same }</p>
                    }
                    <ul>{ for changes.iter().map(|change| html! { <li>{ props.language.texts().change(change) }</li> }) }</ul>
                </div>
            }
            <p class={style::ways}>
                if tick.is_separate && at != props.time.at {
                    <button type="button" onclick={go(at)}>{ texts.go_before }</button>
                }
                if after.unwrap_or(props.time.ticks.len()) != props.time.at {
                    <button type="button" onclick={go(after.unwrap_or(usize::MAX))}>{ texts.go_after }</button>
                }
                if tick.is_separate && at != props.time.at {
                    <button type="button" onclick={compare}>{ texts.compare }</button>
                }
            </p>
        </div>
    }
}
