//! Files dropped anywhere on the page go to the folder of the terminal's shell; how far each is shows in a corner.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::DragEvent;
use yew::prelude::*;

use crate::base::size::human_size3;
use crate::ui::files::take_all;
use crate::ui::session::transfer::{MAX_BYTES, Progress, Transfer};
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::files;
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/drop.module.css");

/// What is dropped on.
#[derive(Properties, PartialEq)]
pub struct DropProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// The target over the page and the list of transfers.
#[function_component]
pub fn Drop(props: &DropProps) -> Html {
    use_topic(&props.session, Topic::Transfers);
    let texts = props.language.panes();
    let over = use_state_eq(|| false);
    {
        let (session, over) = (props.session.clone(), over.clone());
        use_effect_with((), move |()| {
            let listen = |name: &'static str, session: Session, over: UseStateHandle<bool>| {
                let cancelling = EventListenerOptions::enable_prevent_default();
                web_sys::window().map(|window| {
                    EventListener::new_with_options(&window, name, cancelling, move |event| {
                        let Some(event) = event.dyn_ref::<DragEvent>() else { return };
                        let Some(dragged) = event.data_transfer() else { return };
                        if !dragged.types().includes(&"Files".into(), 0) {
                            return;
                        }
                        event.prevent_default();
                        match name {
                            "drop" => {
                                over.set(false);
                                take_all(&session, dragged.files(), &session.cwd(0));
                            }
                            // The pointer has left the window.
                            "dragleave" => over.set(event.related_target().is_some()),
                            _ => over.set(true),
                        }
                    })
                })
            };
            let listening =
                ["dragenter", "dragover", "dragleave", "drop"].map(|name| listen(name, session.clone(), over.clone()));
            move || drop(listening)
        });
    }
    let transfer = |transfer: &Transfer| {
        let name = &transfer.name;
        let number = transfer.number;
        let session = props.session.clone();
        let away = Callback::from(move |_: MouseEvent| session.forget_transfer(number));
        let size = human_size3(transfer.size_bytes as u64);
        let text = match transfer.progress {
            Progress::Under(_) => fill(texts.taking, &[name]),
            Progress::Done => fill(texts.taken, &[name, &size, &transfer.folder]),
            Progress::Failed(error) => fill(texts.not_taken, &[name, error.strerror()]),
            Progress::TooLarge => {
                let limit = fill(texts.too_big, &[&human_size3(MAX_BYTES as u64)]);
                fill(texts.not_taken, &[name, &limit])
            }
        };
        let under = matches!(transfer.progress, Progress::Under(_));
        let load = (transfer.progress == Progress::Done && files::is_archive(name)).then(|| {
            let command = format!("docker load -i {}", files::quoted(&files::join(&transfer.folder, name)));
            let label = fill(texts.load_it, &[&command]);
            let session = props.session.clone();
            let onclick = Callback::from(move |_: MouseEvent| {
                session.insert(0, &command);
                session.forget_transfer(number);
            });
            html! { <button type="button" class={style::load} {onclick}>{ label }</button> }
        });
        html! {
            <li key={number}>
                <div class={style::line}>
                    <span>{ text }</span>
                    <button type="button" class={style::away} onclick={away}
                        aria-label={if under { texts.cancel } else { texts.close }}>{ "×" }</button>
                </div>
                if let Progress::Under(thousandths) = transfer.progress {
                    <progress max="1000" value={thousandths.to_string()} aria-label={name.clone()}></progress>
                }
                { for load }
            </li>
        }
    };
    let transfers = props.session.transfers();
    html! {
        <>
            if *over {
                <div class={style::over}><p>{ fill(texts.drop_here, &[&props.session.cwd(0)]) }</p></div>
            }
            <div class={style::transfers} role="status" data-capas="transfers">
                if !transfers.is_empty() {
                    <ul>{ for transfers.iter().map(transfer) }</ul>
                }
            </div>
        </>
    }
}
