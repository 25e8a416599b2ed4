//! A light editor: a text area of the browser's own, so that undo, input methods and screen readers work, over a layer that
//! colours the same text and numbers its lines.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use crate::base::errno::Errno;
use crate::ui::dom;
use crate::ui::forecast::{Summary, behind};
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::files::{self, MAX_TEXT_BYTES};
use crate::view::forecast::Forecast;
use crate::view::highlight::{Syntax, Token, line};
use crate::view::texts::{Language, PanesTexts, fill};

stylance::import_crate_style!(pub(super) style, "src/ui/editor.module.css");

/// How long nothing is typed before a Dockerfile's forecast is made anew.
const FORECAST_MS: u32 = 200;
/// Lines of a text in pixels, as the style sheet has them.
const LINE_PX: i32 = 20;

/// Which file is edited.
#[derive(Properties, PartialEq)]
pub struct EditorProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// The file.
    pub path: String,
    /// Another file is in front; this one keeps what was typed.
    pub hidden: bool,
    /// Hears whether there are changes that are not saved.
    pub on_dirty: Callback<(String, bool)>,
}

/// What the file on the host holds.
#[derive(Clone, PartialEq)]
enum OnDisk {
    Text(Rc<str>),
    TooLarge,
    NotText,
    Failed(Errno),
}

fn on_disk(session: &Session, path: &str) -> OnDisk {
    match session.read(path) {
        Ok(content) if content.len() > MAX_TEXT_BYTES => OnDisk::TooLarge,
        Ok(content) => files::text_of(&content.to_vec()).map_or(OnDisk::NotText, |text| OnDisk::Text(text.into())),
        // A file that is still to be made.
        Err(Errno::ENOENT) => OnDisk::Text("".into()),
        Err(error) => OnDisk::Failed(error),
    }
}

/// The editor.
#[function_component]
pub fn Editor(props: &EditorProps) -> Html {
    use_topic(&props.session, Topic::Files);
    use_topic(&props.session, Topic::World);
    let texts = props.language.panes();
    let name = files::name(&props.path).to_owned();
    let disk = on_disk(&props.session, &props.path);
    // What was read or saved last, and what the text area holds.
    let base = use_state_eq(|| disk.clone());
    let typed = use_state_eq(|| match &disk {
        OnDisk::Text(text) => Rc::clone(text),
        _ => "".into(),
    });
    let failed = use_state_eq(|| None::<Errno>);
    let saved = use_state_eq(|| false);
    let area = use_node_ref();
    let dirty = matches!(&*base, OnDisk::Text(text) if **text != **typed);
    let conflict = dirty && disk != *base;
    {
        let (on_dirty, path) = (props.on_dirty.clone(), props.path.clone());
        use_effect_with(dirty, move |dirty| on_dirty.emit((path, *dirty)));
    }
    let take = {
        let (base, typed, area) = (base.clone(), typed.clone(), area.clone());
        Callback::from(move |disk: OnDisk| {
            if let (OnDisk::Text(text), Some(area)) = (&disk, area.cast::<HtmlTextAreaElement>()) {
                area.set_value(text);
                typed.set(Rc::clone(text));
            }
            base.set(disk);
        })
    };
    {
        // What a command wrote is shown, unless there is something of one's own to lose.
        let (take, base) = (take.clone(), (*base).clone());
        use_effect_with(disk.clone(), move |disk| {
            if !dirty && *disk != base {
                take.emit(disk.clone());
            }
        });
    }
    {
        let (area, text) = (area.clone(), Rc::clone(&typed));
        use_effect_with((), move |()| {
            if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                area.set_value(&text);
            }
        });
    }
    {
        let area = area.clone();
        use_effect_with(props.hidden, move |hidden| {
            if let (false, Some(area)) = (*hidden, dom::html(&area)) {
                dom::focus(&area);
            }
        });
    }
    let save = {
        let (session, path, typed, base) = (props.session.clone(), props.path.clone(), typed.clone(), base.clone());
        let (failed, saved) = (failed.clone(), saved.clone());
        Callback::from(move |()| {
            let done = session.save(&path, (&**typed).into());
            if done.is_ok() {
                base.set(OnDisk::Text(Rc::clone(&typed)));
            }
            saved.set(done.is_ok());
            failed.set(done.err());
        })
    };
    let oninput = {
        let (typed, saved) = (typed.clone(), saved.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                typed.set(area.value().as_str().into());
                saved.set(false);
            }
        })
    };
    let escaped = use_mut_ref(|| false);
    let onkeydown = {
        let save = save.clone();
        Callback::from(move |event: KeyboardEvent| {
            let ctrl = event.ctrl_key() || event.meta_key();
            let leaving = std::mem::replace(&mut *escaped.borrow_mut(), event.key() == "Escape");
            match event.key().as_str() {
                "s" | "S" if ctrl => {
                    event.prevent_default();
                    save.emit(());
                }
                // A keyboard must be able to get out: Escape first, then Tab moves on.
                "Tab" if !ctrl && !event.shift_key() && !leaving => {
                    event.prevent_default();
                    // The browser types it, so that it can take it back.
                    dom::exec("insertText", "\t");
                }
                _ => {}
            }
        })
    };
    let syntax = Syntax::of(&name);
    let forecast = use_state_eq(|| None::<Rc<Forecast>>);
    {
        // The state of Docker counts as much as the text; both settle first.
        let (session, path, forecast) = (props.session.clone(), props.path.clone(), forecast.clone());
        let told = (Rc::clone(&typed), props.session.picture(), disk.clone(), props.hidden);
        use_effect_with(told, move |(text, _, _, hidden)| {
            let (text, wanted) = (Rc::clone(text), syntax == Syntax::Dockerfile && !*hidden);
            let later = wanted.then(|| {
                Timeout::new(FORECAST_MS, move || forecast.set(Some(Rc::new(session.forecast(&path, &text)))))
            });
            move || drop(later)
        });
    }
    let on_line = {
        let area = area.clone();
        Callback::from(move |number: usize| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else { return };
            let at: usize =
                area.value().split('\n').take(number.saturating_sub(1)).map(|l| l.encode_utf16().count() + 1).sum();
            area.set_selection_range(at as u32, at as u32).unwrap_or_default();
            if let Some(scroll) = area.closest("[data-scroll]").ok().flatten() {
                scroll.set_scroll_top((number as i32 - 4).max(0) * LINE_PX);
            }
            dom::focus(&area);
        })
    };
    let state = if let Some(error) = *failed {
        html! { <span class={style::bad} role="alert">{ texts.file_error(&name, error) }</span> }
    } else if conflict {
        let again = {
            let disk = disk.clone();
            take.reform(move |_: MouseEvent| disk.clone())
        };
        html! {
            <span class={style::warn} role="alert">
                { texts.changed_outside }
                <button type="button" class={style::tool} onclick={again}>{ texts.take_theirs }</button>
            </span>
        }
    } else {
        let text = if dirty {
            texts.unsaved
        } else if *saved {
            texts.saved
        } else {
            ""
        };
        html! { <span class={style::state} role="status">{ text }</span> }
    };
    let hint = format!("hint-{}", name);
    let body = match &*base {
        OnDisk::Text(_) => html! {
            <>
                <div class={style::bar}>
                    <code title={props.path.clone()}>{ &props.path }</code>
                    { state }
                    <button type="button" class={style::tool} disabled={!dirty} onclick={save.reform(|_: MouseEvent| ())}>
                        { texts.save }
                    </button>
                </div>
                <div class={style::scroll} data-scroll="">
                    <div class={style::page}>
                        <pre class={style::layer} aria-hidden="true">{ for coloured(syntax, &typed, texts, forecast.as_deref()) }</pre>
                        <textarea class={style::area} ref={area} data-capas="editor" spellcheck="false" autocomplete="off"
                            autocapitalize="none" autocorrect="off" wrap="off" aria-describedby={hint.clone()}
                            aria-label={fill(texts.editor_of, &[&props.path])} {oninput} {onkeydown} />
                    </div>
                </div>
                if let Some(forecast) = &*forecast {
                    <Summary forecast={Rc::clone(forecast)} language={props.language} {on_line} />
                }
                <p class={style::hint} id={hint}>{ texts.editor_hint }</p>
            </>
        },
        OnDisk::NotText => html! { <p class={style::none}>{ fill(texts.not_text, &[&name]) }</p> },
        OnDisk::TooLarge => html! { <p class={style::none}>{ fill(texts.too_large, &[&name]) }</p> },
        OnDisk::Failed(error) => html! { <p class={style::none} role="alert">{ texts.file_error(&name, *error) }</p> },
    };
    html! { <div class={style::editor} hidden={props.hidden}>{ body }</div> }
}

/// The coloured lines of a text.
fn coloured(syntax: Syntax, text: &str, texts: &PanesTexts, forecast: Option<&Forecast>) -> Vec<Html> {
    let mut goes_on = false;
    text.split('\n')
        .enumerate()
        .map(|(at, own)| {
            let before = goes_on;
            goes_on = line(syntax, own, before).1;
            let behind = forecast.map(|forecast| behind(texts, forecast, at + 1));
            html! {
                <div class={style::line}>
                    <ColouredLine {syntax} text={AttrValue::from(own.to_owned())} goes_on={before} />
                    { for behind }
                </div>
            }
        })
        .collect()
}

#[derive(Properties, PartialEq)]
struct LineProps {
    syntax: Syntax,
    text: AttrValue,
    goes_on: bool,
}

/// A line. Drawn anew only when it is another one.
#[function_component]
fn ColouredLine(props: &LineProps) -> Html {
    let piece = |(token, text): (Token, &str)| {
        let class = match token {
            Token::Plain => return html! { { text.to_owned() } },
            Token::Keyword => style::keyword,
            Token::Comment => style::comment,
            Token::String => style::string,
            Token::Variable => style::variable,
            Token::Flag => style::flag,
        };
        html! { <span {class}>{ text.to_owned() }</span> }
    };
    html! { <>{ for line(props.syntax, &props.text, props.goes_on).0.into_iter().map(piece) }</> }
}
