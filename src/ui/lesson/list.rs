//! The list of lessons, with what is solved.

use yew::prelude::*;

use crate::lesson::index::{Chapter, Entry, Index};
use crate::ui::lesson::{prose, store, style};
use crate::view::texts::{Language, fill};

/// What the list shows.
#[derive(Properties, PartialEq)]
pub struct ListProps {
    /// The path.
    pub index: Index,
    /// The language.
    pub language: Language,
    /// A lesson was chosen.
    pub on_open: Callback<String>,
}

/// The list.
#[function_component]
pub fn List(props: &ListProps) -> Html {
    let texts = props.language.lesson();
    let progress = store::progress();
    let all = props.index.lessons().count();
    let done = props.index.lessons().filter(|entry| progress.of(&entry.id).is_some()).count();
    // Where to go on: the first that is not solved.
    let next = props.index.lessons().find(|entry| progress.of(&entry.id).is_none()).map(|entry| entry.id.clone());
    let entry = |entry: &Entry| {
        let done = progress.of(&entry.id);
        let (on_open, id) = (props.on_open.clone(), entry.id.clone());
        let onclick = Callback::from(move |_: MouseEvent| on_open.emit(id.clone()));
        let is_next = next.as_ref() == Some(&entry.id);
        html! {
            <li key={entry.id.clone()}>
                <button type="button" class={classes!(style::entry, is_next.then_some(style::upcoming))}
                    data-lesson={entry.id.clone()} data-solved={done.is_some().to_string()} {onclick}>
                    <span class={classes!(style::tick, done.is_some().then_some(style::ticked))} aria-hidden="true">
                        { if done.is_some() { "✓" } else { "" } }
                    </span>
                    <span class={style::entry_title}>{ &entry.title }</span>
                    if let Some(done) = done {
                        <span class={style::hidden}>{ texts.solved_mark }</span>
                        <small>{ texts.commands.of(done.commands as usize) }</small>
                    }
                </button>
            </li>
        }
    };
    let chapter = |chapter: &Chapter| {
        html! {
            <section class={style::chapter} key={chapter.title.clone()}>
                <h3>{ &chapter.title }</h3>
                <p>{ prose::spans(&chapter.about) }</p>
                <ul>{ for chapter.lessons.iter().map(entry) }</ul>
            </section>
        }
    };
    let share = (done * 100).checked_div(all).unwrap_or(0);
    html! {
        <>
            <div class={style::progress}>
                <progress max="100" value={share.to_string()} aria-label={texts.lessons}></progress>
                <span>{ fill(texts.progress, &[&done.to_string(), &all.to_string()]) }</span>
            </div>
            { for props.index.chapters.iter().map(chapter) }
        </>
    }
}
