//! What an image stores and hides, beside its layers: how much of it, which files, and what would make it smaller.

use std::rc::Rc;

use bstr::BString;
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use crate::base::size::human_size3;
use crate::docker::build::recipe::{Fate, Recipe, difference};
use crate::docker::build::remedy::Remedy;
use crate::ui::inside::BUTTON;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::inside::Subject;
use crate::view::picture::tint_of;

use crate::docker::build::waste::{Hidden, Waste};
use crate::view::texts::waste::WasteTexts;
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/waste.module.css");

/// Hidden files that are listed; the largest come first.
const MAX_FILES: usize = 60;
/// What is drawn before a trial keeps the page busy.
const BREATH_MS: u32 = 40;

/// Whose waste.
#[derive(Properties, PartialEq)]
pub struct WasteProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// An image, a container, a layer.
    pub subject: Subject,
    /// Its layers' waste.
    pub waste: Rc<Waste>,
    /// A layer is to be looked at.
    pub on_layer: Callback<usize>,
    /// A path is to be looked at.
    pub on_path: Callback<BString>,
}

/// How far the search for remedies is.
#[derive(Clone, PartialEq)]
enum Search {
    NotYet,
    UnderWay,
    Failed,
    Found(Rc<Vec<Remedy>>),
    Applied(Rc<str>),
}

/// What the lens of waste shows.
#[function_component]
pub fn WasteView(props: &WasteProps) -> Html {
    let texts = props.language.waste();
    let waste = &props.waste;
    let rest = waste.hidden.get(MAX_FILES..).unwrap_or_default();
    let file = |hidden: &Hidden| file(texts, waste, hidden, &props.on_layer, &props.on_path);
    html! {
        <div class={style::waste} role="region" aria-label={texts.waste} data-capas="waste" tabindex="0">
            { score(texts, waste) }
            if waste.hidden.is_empty() {
                <p class={style::note}>{ texts.none }</p>
            } else {
                <h4>{ texts.files }</h4>
                <ul class={style::files} aria-label={texts.files}>{ for waste.hidden.iter().take(MAX_FILES).map(file) }</ul>
                if !rest.is_empty() {
                    <p class={style::note}>
                        { texts.more.of(rest.len()) }{ format!(" ({})", human_size3(rest.iter().map(|hidden| hidden.bytes).sum())) }
                    </p>
                }
            }
            if matches!(props.subject, Subject::Object(_)) {
                <Remedies session={props.session.clone()} language={props.language} subject={props.subject.clone()} />
            }
        </div>
    }
}

/// The efficiency as a number and as a bar.
fn score(texts: &WasteTexts, waste: &Waste) -> Html {
    let (efficiency, hidden) = (waste.efficiency(), waste.hidden_bytes());
    html! {
        <div class={style::score}>
            <p><strong data-capas="efficiency">{ format!("{efficiency} %") }</strong>{ " " }{ texts.seen }</p>
            <svg class={style::bar} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect class={style::hidden} width="100" height="6" />
                <rect class={style::seen} width={efficiency.to_string()} height="6" />
            </svg>
            if hidden > 0 {
                <p class={style::note}>{ fill(texts.sums, &[&human_size3(waste.stored_bytes), &human_size3(hidden)]) }</p>
            }
        </div>
    }
}

/// A hidden file, the layer that has it and the one that hides it.
fn file(
    texts: &WasteTexts,
    waste: &Waste,
    hidden: &Hidden,
    on_layer: &Callback<usize>,
    on_path: &Callback<BString>,
) -> Html {
    let path = format!("/{}", hidden.path);
    let layer = |at: usize, words: &'static str| {
        let on_layer = on_layer.clone();
        let onclick = Callback::from(move |_: MouseEvent| on_layer.emit(at));
        let diff_id = waste.layers.get(at).and_then(|share| share.diff_id);
        let number = (at + 1).to_string();
        let said = fill(words, &[&number]);
        html! {
            <button type="button" class={classes!(style::layer, diff_id.map(|id| format!("tint-{}", tint_of(id))))}
                data-spot={diff_id.map(|id| id.short())} {onclick}>{ said }</button>
        }
    };
    let onclick = {
        let (on_path, path) = (on_path.clone(), hidden.path.clone());
        Callback::from(move |_: MouseEvent| on_path.emit(path.clone()))
    };
    html! {
        <li key={format!("{} {path}", hidden.holds)} data-capas="hidden">
            <button type="button" class={style::path} {onclick}>{ path }</button>
            <span class={style::bytes}>{ human_size3(hidden.bytes) }</span>
            <span class={style::layers}>
                { layer(hidden.holds, texts.holds) }
                <span aria-hidden="true">{ "→" }</span>
                { layer(hidden.hides, texts.how(hidden.how)) }
            </span>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct RemediesProps {
    session: Session,
    language: Language,
    subject: Subject,
}

/// What would make the image smaller, once somebody asks: every change is built.
#[function_component]
fn Remedies(props: &RemediesProps) -> Html {
    use_topic(&props.session, Topic::Files);
    let texts = props.language.waste();
    let search = use_state_eq(|| Search::NotYet);
    let timer = use_mut_ref(|| None::<Timeout>);
    let recipe = props.session.recipe(&props.subject);
    let look = {
        let (session, search) = (props.session.clone(), search.clone());
        Callback::from(move |recipe: Recipe| {
            search.set(Search::UnderWay);
            let (session, search) = (session.clone(), search.clone());
            // The page says so first: a trial takes as long as its commands do.
            *timer.borrow_mut() = Some(Timeout::new(BREATH_MS, move || {
                let found = session.remedies(&recipe);
                search.set(found.map_or(Search::Failed, |found| Search::Found(Rc::new(found))));
            }));
        })
    };
    let apply = {
        let (session, search) = (props.session.clone(), search.clone());
        Callback::from(move |(recipe, remedy): (Recipe, Remedy)| {
            if session.save(&recipe.path, remedy.text.as_str().into()).is_ok() {
                search.set(Search::Applied(recipe.folder().into()));
                session.edit(&recipe.path);
            }
        })
    };
    let may_write = !props.session.options().read_only;
    let body = match (&*search, recipe) {
        (Search::Applied(folder), _) => {
            html! { <p class={style::note}>{ fill(texts.applied, &[&format!("docker build {folder}")]) }</p> }
        }
        (_, None) => html! { <p class={style::note}>{ texts.no_recipe }</p> },
        (Search::NotYet, Some(recipe)) => {
            let made_by = fill(texts.made_by, &[&recipe.path]);
            let onclick = Callback::from(move |_: MouseEvent| look.emit(recipe.clone()));
            html! {
                <p class={style::look}>
                    <span>{ made_by }</span>
                    <button type="button" class={BUTTON} {onclick} data-capas="look">{ texts.look }</button>
                </p>
            }
        }
        (Search::UnderWay, _) => html! { <p class={style::note}>{ texts.looking }</p> },
        (Search::Failed, _) => html! { <p class={style::note}>{ texts.failed }</p> },
        (Search::Found(found), _) if found.is_empty() => html! { <p class={style::note}>{ texts.no_remedy }</p> },
        (Search::Found(found), Some(recipe)) => html! {
            <ul class={style::remedies}>
                { for found.iter().map(|one| remedy(texts, &recipe, one, may_write.then(|| apply.clone()))) }
            </ul>
        },
    };
    html! {
        <section class={style::section} aria-label={texts.remedies}>
            <h4>{ texts.remedies }</h4>
            <div role="status">{ body }</div>
        </section>
    }
}

fn remedy(texts: &WasteTexts, recipe: &Recipe, remedy: &Remedy, apply: Option<Callback<(Recipe, Remedy)>>) -> Html {
    let [saved, before, after] = [remedy.saved_bytes(), remedy.before_bytes, remedy.after_bytes].map(human_size3);
    let line = |(fate, text): (Fate, &str)| {
        let (class, sign, said) = match fate {
            Fate::Kept => (style::kept, " ", ""),
            Fate::Removed => (style::removed, "−", texts.removed),
            Fate::Added => (style::added, "+", texts.added),
        };
        html! {
            <div {class}><span aria-hidden="true">{ sign }{ " " }</span><span class={style::said}>{ said }</span>{ text }</div>
        }
    };
    let button = apply.map(|apply| {
        let (recipe, own) = (recipe.clone(), remedy.clone());
        let onclick = Callback::from(move |_: MouseEvent| apply.emit((recipe.clone(), own.clone())));
        html! { <button type="button" class={BUTTON} {onclick} data-capas="apply">{ texts.apply }</button> }
    });
    html! {
        <li class={style::remedy} data-capas="remedy">
            <h5>{ texts.cause(remedy.cause) }</h5>
            <p class={style::saving}>{ fill(texts.saving, &[&saved, &before, &after]) }</p>
            <pre tabindex="0" aria-label={texts.lines}>{ for difference(&recipe.text, &remedy.text).into_iter().map(line) }</pre>
            { for button }
        </li>
    }
}

impl Session {
    /// The Dockerfile of the host that makes an image.
    fn recipe(&self, subject: &Subject) -> Option<Recipe> {
        self.with_machine(|machine| {
            let Subject::Object(name) = subject else { return None };
            let image = machine.builder().store.borrow().resolve(name).ok()?;
            machine.recipe(image)
        })
    }

    /// What would make a Dockerfile's image smaller; `None` if it can't be built.
    fn remedies(&self, recipe: &Recipe) -> Option<Vec<Remedy>> {
        let found = |machine: &crate::machine::Machine| machine.diagnose(&recipe.path, &recipe.text).ok();
        self.with_machine(found).map(|diagnosis| diagnosis.remedies)
    }
}
