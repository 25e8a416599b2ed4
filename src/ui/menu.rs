//! The session's menu: link, file, starting anew, earlier sessions; and what is told of keeping it.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::machine::codec::LINK_KEY;
use crate::machine::{Config, Journal};
use crate::ui::dom;
use crate::ui::keep::{self, Notice};
use crate::ui::panel::{self, Panel};
use crate::ui::session::{Session, Topic, use_topic};
use crate::ui::store::Row;
use crate::view::texts::time::TimeTexts;
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/menu.module.css");

const ID: &str = "session";
/// Links longer than this break in some chats and mails.
const LONG_LINK: usize = 8_000;
/// Files larger than this are not read.
const MAX_FILE: f64 = 64e6;

/// What the menu needs.
#[derive(Properties, PartialEq)]
pub struct SessionMenuProps {
    /// The session.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// What a new session begins with.
    pub env: Vec<String>,
}

fn hide() {
    panel::hide(ID);
}

/// The button and its panel.
#[function_component]
pub fn SessionMenu(props: &SessionMenuProps) -> Html {
    let texts = props.language.time();
    let rows = use_state_eq(Vec::<Row>::new);
    let link = use_state_eq(|| None::<String>);
    let file = use_node_ref();
    let ontoggle = {
        let (rows, link) = (rows.clone(), link.clone());
        Callback::from(move |_: Event| {
            link.set(None);
            let rows = rows.clone();
            spawn_local(async move { rows.set(keep::rows().await) });
        })
    };
    let share = {
        let (session, link) = (props.session.clone(), link.clone());
        Callback::from(move |_: MouseEvent| {
            let journal = session.journal();
            if !journal.is_portable() {
                return session.tell_notice(Some(Notice::TooLarge));
            }
            let address = address(&journal);
            let (session, link) = (session.clone(), link.clone());
            spawn_local(async move {
                if copy(&address).await {
                    hide();
                    session.tell_notice(Some(Notice::LinkCopied(address.len())));
                } else {
                    link.set(Some(address));
                }
            });
        })
    };
    let export = {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| {
            hide();
            let today = String::from(js_sys::Date::new_0().to_iso_string());
            let day = today.split('T').next().unwrap_or_default();
            let journal = session.journal();
            if !journal.is_portable() {
                return session.tell_notice(Some(Notice::TooLarge));
            }
            dom::download(&format!("{day}.capas"), &journal.to_bytes());
        })
    };
    let import = {
        let file = file.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(input) = dom::html(&file) {
                input.click();
            }
        })
    };
    let onfile = {
        let session = props.session.clone();
        Callback::from(move |event: Event| {
            hide();
            let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            let Some(file) = input.as_ref().and_then(|input| input.files()?.get(0)) else { return };
            // The same file may be chosen again.
            if let Some(input) = input {
                input.set_value("");
            }
            let session = session.clone();
            spawn_local(async move {
                let bytes = if file.size() > MAX_FILE { None } else { JsFuture::from(file.array_buffer()).await.ok() };
                let given = match bytes {
                    Some(bytes) => Journal::from_bytes(&js_sys::Uint8Array::new(&bytes).to_vec()),
                    None => Err(crate::machine::CodecError::TooLarge),
                };
                keep::open_given(&session, given);
            });
        })
    };
    let anew = {
        let (session, env) = (props.session.clone(), props.env.clone());
        Callback::from(move |_: MouseEvent| {
            hide();
            let config = Config { env: env.clone(), seed: session.journal().seed, ..Config::default() };
            keep::anew(&session, &config);
        })
    };
    let row = |row: &Row| {
        let (session, id) = (props.session.clone(), row.id.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            hide();
            keep::open_row(&session, id.clone());
        });
        let when = js_sys::Date::new(&row.saved_ms.into()).to_locale_string(props.language.tag(), &options());
        html! {
            <li key={row.id.clone()}>
                <button type="button" class={style::action} {onclick}>
                    <code>{ &row.title }</code>
                    <small>{ format!("{} · {}", texts.commands.of(row.commands), String::from(when)) }</small>
                </button>
            </li>
        }
    };
    let action = |text: &'static str, why: &'static str, onclick: Callback<MouseEvent>| {
        html! {
            <button type="button" class={style::action} {onclick}>{ text }<small>{ why }</small></button>
        }
    };
    html! {
        <Panel id={ID} label={texts.session} {ontoggle}
            icon="M8 9.5V2M5 4.5 8 1.8l3 2.7M3 8v5.2a.8.8 0 0 0 .8.8h8.4a.8.8 0 0 0 .8-.8V8">
                { action(texts.share, texts.share_why, share) }
                if let Some(link) = &*link {
                    <textarea class={style::link} readonly=true rows="4" aria-label={texts.share}
                        value={link.clone()} />
                }
                { action(texts.export, texts.export_why, export) }
                { action(texts.import, texts.import_why, import) }
                <input type="file" class={style::file} ref={file} tabindex="-1" aria-hidden="true" onchange={onfile}
                    data-capas="import" />
                { action(texts.anew, texts.anew_why, anew) }
                <h3>{ texts.earlier }</h3>
                if rows.is_empty() {
                    <p class={style::empty}>{ texts.earlier_none }</p>
                }
                <ul>{ for rows.iter().map(row) }</ul>
        </Panel>
    }
}

/// Day and minute: what a list of sessions needs.
fn options() -> wasm_bindgen::JsValue {
    let options = js_sys::Object::new();
    for name in ["dateStyle", "timeStyle"] {
        dom::set(&options, name, &"short".into());
    }
    options.into()
}

/// The page's address with the session in it.
fn address(journal: &Journal) -> String {
    let here = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    let page = here.split('#').next().unwrap_or_default();
    format!("{page}#{LINK_KEY}{}", journal.to_text())
}

async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window() else { return false };
    // Only there in secure contexts.
    let clipboard = js_sys::Reflect::get(&window.navigator(), &"clipboard".into()).unwrap_or_default();
    match clipboard.dyn_into::<web_sys::Clipboard>() {
        Ok(clipboard) => JsFuture::from(clipboard.write_text(text)).await.is_ok(),
        Err(_) => false,
    }
}

/// What is told, and of whom.
#[derive(Properties, PartialEq)]
pub struct NoticeBoardProps {
    /// The session.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// What is told of keeping the session, until it is taken away.
#[function_component]
pub fn NoticeBoard(props: &NoticeBoardProps) -> Html {
    use_topic(&props.session, Topic::Time);
    let texts = props.language.time();
    let notice = props.session.notice();
    let button = |text: &'static str, act: Box<dyn Fn(&Session)>| {
        let session = props.session.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            session.tell_notice(None);
            act(&session);
        });
        html! { <button type="button" {onclick}>{ text }</button> }
    };
    let before = keep::before();
    let is_change = matches!(notice, Some(Notice::Anew | Notice::Opened(_) | Notice::Branched));
    let back = before
        .filter(|_| is_change)
        .map(|id| button(texts.back_to_it, Box::new(move |session| keep::open_row(session, id.clone()))));
    let save = match &notice {
        Some(Notice::Damaged(row)) => {
            let row = row.clone();
            Some(button(texts.save_bytes, Box::new(move |_| keep::download_row(&row))))
        }
        _ => None,
    };
    let is_bad =
        matches!(notice, Some(Notice::Unreadable(_) | Notice::Damaged(_) | Notice::MemoryOnly | Notice::TooLarge));
    let close = props.session.clone();
    html! {
        <div role="status" data-capas="notice">
            if let Some(notice) = &notice {
                <div class={classes!(style::notice, is_bad.then_some(style::bad))}>
                    <p>{ words(texts, notice) }</p>
                    { back }
                    { save }
                    <button type="button" class={style::close} aria-label={props.language.texts().close}
                        onclick={Callback::from(move |_: MouseEvent| close.tell_notice(None))}>{ "×" }</button>
                </div>
            }
        </div>
    }
}

fn words(texts: &TimeTexts, notice: &Notice) -> String {
    match notice {
        Notice::Restored(commands) => fill(texts.restored, &[&texts.commands.of(*commands)]),
        Notice::AfterCrash(_) => texts.after_crash.to_owned(),
        Notice::MemoryOnly => texts.memory_only.to_owned(),
        Notice::TooLarge => texts.not_kept.to_owned(),
        Notice::Unreadable(error) => texts.unreadable(*error),
        Notice::Damaged(_) => texts.damaged.to_owned(),
        Notice::Opened(_) => texts.opened.to_owned(),
        Notice::Branched => texts.branched.to_owned(),
        Notice::Anew => texts.anew_done.to_owned(),
        Notice::LinkCopied(chars) if *chars > LONG_LINK => fill(texts.link_long, &[&(chars / 1000).to_string()]),
        Notice::LinkCopied(_) => texts.link_copied.to_owned(),
    }
}
