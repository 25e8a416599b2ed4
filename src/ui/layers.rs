//! The pane of layers: the forest of `view::picture`, drawn from the base up, its text twin, and what last changed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};
use yew::prelude::*;

use crate::base::size::human_size3;
use crate::ui::dom;
use crate::ui::inside::Inside;
use crate::ui::motion::Motion;
use crate::ui::session::{Session, Topic, use_topic};
use crate::ui::spot;
use crate::view::deeds::{How, Touch};
use crate::view::inside::Subject;
use crate::view::picture::{
    ContainerBox, ContainerState, ImageLabel, NetworkFact, Picture, RegistryEntry, Slab, Tree, VolumeFact, tint_of_hex,
};
use crate::view::texts::layers::LayersTexts;
use crate::view::texts::{Language, Texts, fill};

stylance::import_crate_style!(style, "src/ui/layers.module.css");

/// Sentences of the caption at most; the last ones count.
const MAX_TOLD: usize = 3;

/// What the pane shows.
#[derive(Properties, PartialEq)]
pub struct LayersProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// The pane.
#[function_component]
pub fn Layers(props: &LayersProps) -> Html {
    use_topic(&props.session, Topic::World);
    let (texts, own) = (props.language.texts(), props.language.layers());
    let as_text = use_state_eq(|| false);
    let looked = use_state_eq(|| None::<Subject>);
    let left = use_state_eq(|| None::<Subject>);
    let find = use_state_eq(String::new);
    // `None` until the student chooses: then the number of images decides.
    let zoom = use_state_eq(|| None::<u8>);
    let folded = use_state_eq(BTreeSet::<String>::new);
    let canvas = use_node_ref();
    let motion = use_mut_ref(Motion::default);
    let picture = props.session.picture();
    let shown = use_memo((picture.clone(), (*find).clone()), |(picture, find)| picture.filtered(find));
    let near = zoom.unwrap_or_else(|| zoom_for(picture.totals.images, picture.totals.layers));
    {
        let (canvas, motion): (NodeRef, Rc<RefCell<Motion>>) = (canvas.clone(), motion);
        let deps = (picture.clone(), *as_text, near, (*folded).clone(), props.session.moves());
        use_effect_with(deps, move |(picture, .., moves)| {
            spot::tell(picture);
            let moves = Rc::clone(moves);
            dom::once_drawn(move || {
                if let (Some(element), Ok(mut motion)) = (dom::html(&canvas), motion.try_borrow_mut()) {
                    motion.settle(&element, &moves);
                }
            });
        });
    }
    use_effect_with((), |()| {
        let listening = spot::listen();
        move || drop(listening)
    });
    let on_look = use_callback((), {
        let looked = looked.clone();
        move |subject: Subject, ()| looked.set(Some(subject))
    });
    let on_fold = use_callback((*folded).clone(), {
        let state = folded.clone();
        move |key: String, folded: &BTreeSet<String>| {
            let mut folded = folded.clone();
            if !folded.remove(&key) {
                folded.insert(key);
            }
            state.set(folded);
        }
    });
    let on_close = {
        let (looked, left) = (looked.clone(), left.clone());
        Callback::from(move |()| {
            left.set((*looked).clone());
            looked.set(None);
        })
    };
    {
        let canvas = canvas.clone();
        use_effect_with(((*looked).clone(), (*left).clone()), move |(looked, left)| {
            if let (None, Some(left), Some(canvas)) = (looked, left, dom::html(&canvas)) {
                focus_again(&canvas, left);
            }
        });
    }
    let shape = |text: bool, name: &'static str| {
        let as_text = as_text.clone();
        let pressed = if *as_text == text { "true" } else { "false" };
        let onclick = Callback::from(move |_: MouseEvent| as_text.set(text));
        html! { <button type="button" class={style::shape} aria-pressed={pressed} {onclick}>{ name }</button> }
    };
    let told = props.session.told();
    let first_told = told.len().saturating_sub(MAX_TOLD);
    let tree = |tree: &Rc<Tree>| {
        let folded = if folded.is_empty() { Rc::default() } else { Rc::new((*folded).clone()) };
        html! {
            <Root key={tree.key.clone()} tree={Rc::clone(tree)} language={props.language} {folded} striped={near == 0} on_look={on_look.clone()}
                on_fold={on_fold.clone()} />
        }
    };
    html! {
        <section class={style::pane} id="layers" tabindex="-1" data-capas="layers" aria-labelledby="layers-title">
            <div class={style::bar}>
                <h2 id="layers-title">{ texts.layers }</h2>
                <div class={style::shapes} role="group" aria-label={texts.view_label}>
                    { shape(false, texts.as_drawing) }
                    { shape(true, texts.as_text) }
                </div>
            </div>
            if let Some(subject) = &*looked {
                <Inside session={props.session.clone()} language={props.language} subject={subject.clone()} {on_close} />
            } else {
                if !picture.is_empty() && !*as_text {
                    <div class={style::tools}>
                        { totals(texts, &picture) }
                        { controls(own, &picture, near, &zoom, &find) }
                    </div>
                }
                <div class={classes!(style::canvas, format!("zoom-{near}"))} ref={canvas} tabindex="0" role="group"
                    aria-label={texts.layers}>
                    if picture.is_empty() {
                        { empty(texts) }
                    } else if *as_text {
                        { outline(texts, &picture) }
                    } else {
                        { registry(own, &picture) }
                        <ul class={style::forest}>{ for shown.trees.iter().map(tree) }</ul>
                        if shown.trees.is_empty() && !picture.trees.is_empty() {
                            <p class={style::none} role="status">{ own.found_none }</p>
                        }
                        { host(texts, own, &picture) }
                    }
                </div>
            }
            <div class={style::told} role="status">
                { for told.iter().skip(first_told).map(|change| html! { <p>{ texts.change(change) }</p> }) }
            </div>
        </section>
    }
}

/// How near a picture of so many images and layers is looked at: whole lines, short ones, or stripes only.
const fn zoom_for(images: usize, layers: usize) -> u8 {
    match (images, layers) {
        (0..=6, 0..=16) => 2,
        (0..=20, 0..=60) => 1,
        _ => 0,
    }
}

/// Gives the keyboard back to what was looked into.
fn focus_again(canvas: &HtmlElement, left: &Subject) {
    let name = match left {
        Subject::Object(id) => id.clone(),
        Subject::Layer(chain) => chain.to_string(),
    };
    let found = canvas.query_selector(&format!("[data-flip=\"{name}\"]")).ok().flatten();
    let button = found.and_then(|found| match found.tag_name().as_str() {
        "BUTTON" => Some(found),
        _ => found.query_selector("button").ok().flatten(),
    });
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        dom::focus(&button);
    }
}

/// The sums.
fn totals(texts: &Texts, picture: &Picture) -> Html {
    let totals = &picture.totals;
    html! {
        <p class={style::totals}>
            <span>{ texts.images.of(totals.images) }</span>
            <span>{ texts.layer_count.of(totals.layers) }</span>
            if totals.containers > 0 {
                <span>{ texts.containers.of(totals.containers) }</span>
            }
            if totals.saved_bytes > 0 {
                <span class={style::saved} title={texts.saved_why}>
                    { fill(texts.saved, &[&human_size3(totals.saved_bytes)]) }
                </span>
            }
        </p>
    }
}

/// Zoom and search, once there is something to look for.
fn controls(
    own: &LayersTexts,
    picture: &Picture,
    near: u8,
    zoom: &UseStateHandle<Option<u8>>,
    find: &UseStateHandle<String>,
) -> Html {
    let step = |name: &'static str, sign: &'static str, to: Option<u8>| {
        let zoom = zoom.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            if to.is_some() {
                zoom.set(to);
            }
        });
        html! { <button type="button" title={name} aria-label={name} disabled={to.is_none()} {onclick}>{ sign }</button> }
    };
    let oninput = {
        let find = find.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                find.set(input.value());
            }
        })
    };
    html! {
        <div class={style::controls}>
            if picture.totals.images > 2 || !find.is_empty() {
                <input type="search" class={style::find} placeholder={own.find} aria-label={own.find} data-capas="find"
                    value={(**find).clone()} {oninput} autocomplete="off" spellcheck="false" />
            }
            <div class={style::zoom} role="group" aria-label={own.zoom}>
                { step(own.zoom_out, "−", near.checked_sub(1)) }
                { step(own.zoom_in, "+", (near < 2).then_some(near + 1)) }
            </div>
        </div>
    }
}

/// What registries have, as far as this machine had to do with it.
fn registry(own: &LayersTexts, picture: &Picture) -> Html {
    if picture.registry.is_empty() {
        return Html::default();
    }
    let entry = |entry: &RegistryEntry| {
        let here = entry.is_here.then_some(own.registry_here);
        html! {
            <li key={entry.name.clone()} class={classes!(entry.is_here.then_some(style::is_here))} title={here}>
                <span class={style::pile} aria-hidden="true">
                    { for entry.tints.iter().rev().take(14).map(|tint| html! { <i class={format!("tint-{tint}")}></i> }) }
                </span>
                { &entry.name }
            </li>
        }
    };
    html! {
        <div class={style::registry} data-flip="registry" data-capas="registry">
            <h3>{ own.registry }</h3>
            <ul>{ for picture.registry.iter().map(entry) }</ul>
        </div>
    }
}

/// Before there is anything: how a picture will read.
fn empty(texts: &Texts) -> Html {
    html! {
        <div class={style::empty}>
            <div class={style::sketch} aria-hidden="true">
                <span class={style::sketch_container}>{ texts.sketch_container }</span>
                <span class={style::sketch_layer}>{ texts.sketch_layer }</span>
                <span class={style::sketch_base}>{ texts.sketch_base }</span>
            </div>
            <h3>{ texts.empty_title }</h3>
            <p>{ texts.empty_text }</p>
        </div>
    }
}

/// The text twin.
fn outline(texts: &Texts, picture: &Picture) -> Html {
    let line = |(depth, text): (usize, String)| {
        let class =
            format!("{} {}", style::line, ["t-in-0", "t-in-1", "t-in-2", "t-in-3"].get(depth).unwrap_or(&"t-in-4"));
        html! { <li {class}>{ text }</li> }
    };
    html! { <ul class={style::outline}>{ for texts.outline(picture).into_iter().map(line) }</ul> }
}

/// What is under the layers: the disk that they lie on, volumes and networks.
fn host(texts: &Texts, own: &LayersTexts, picture: &Picture) -> Html {
    let containers = picture.containers();
    let volume = |volume: &VolumeFact| {
        let users = containers.iter().filter(|container| container.fact.volumes.contains(&volume.name));
        let users: Vec<&str> = users.map(|container| container.fact.name.as_str()).collect();
        let title = (!users.is_empty()).then(|| fill(own.mounted_by, &[&users.join(", ")]));
        html! {
            <li data-flip={format!("v{}", volume.name)} class={style::volume} title={title.clone()}>
                { short_name(&volume.name) }<small>{ human_size3(volume.size_bytes) }</small>
                { for title.map(|title| html! { <small>{ title }</small> }) }
            </li>
        }
    };
    let network = |network: &NetworkFact| {
        html! { <li data-flip={format!("n{}", network.name)}>{ &network.name }<small>{ &network.driver }</small></li> }
    };
    html! {
        <div class={style::host} data-capas="host">
            <p class={style::ground}>
                <span><b>{ own.host }</b>{ " " }<code>{ "/var/lib/docker/overlay2" }</code></span>
                <span>{ human_size3(picture.totals.disk_bytes) }</span>
            </p>
            if !picture.volumes.is_empty() {
                <div><h3>{ texts.volumes }</h3><ul>{ for picture.volumes.iter().map(volume) }</ul></div>
            }
            if !picture.networks.is_empty() {
                <div><h3>{ texts.networks }</h3><ul>{ for picture.networks.iter().map(network) }</ul></div>
            }
        </div>
    }
}

/// An anonymous volume's name is 64 digits long.
fn short_name(name: &str) -> &str {
    if name.len() == 64 { name.get(..12).unwrap_or(name) } else { name }
}

fn tint(slab: &Slab) -> String {
    format!("tint-{}", slab.tint)
}

fn instruction(texts: &Texts, slab: &Slab) -> Html {
    match &slab.instruction {
        Some(step) => html! { <><b>{ &step.keyword }</b>{ " " }{ &step.rest }</> },
        None => html! { <i>{ if slab.is_left { texts.left } else { texts.arriving } }</i> },
    }
}

/// A tree on the ground. It is drawn anew only when it is another one.
#[derive(Properties, PartialEq, Clone)]
struct RootProps {
    tree: Rc<Tree>,
    language: Language,
    folded: Rc<BTreeSet<String>>,
    /// Layers are stripes that nobody can hit: their image leads to them.
    striped: bool,
    on_look: Callback<Subject>,
    on_fold: Callback<String>,
}

#[function_component]
fn Root(props: &RootProps) -> Html {
    Drawing { texts: props.language.texts(), own: props.language.layers(), props }.tree(&props.tree)
}

/// What drawing a tree needs to know.
struct Drawing<'a> {
    texts: &'static Texts,
    own: &'static LayersTexts,
    props: &'a RootProps,
}

impl Drawing<'_> {
    fn tree(&self, tree: &Tree) -> Html {
        let is_folded = self.props.folded.contains(&tree.key);
        let striped = is_folded || self.props.striped;
        let is_branched = !tree.containers.is_empty() || !tree.branches.is_empty();
        html! {
            <li class={classes!(style::tree, is_branched.then_some(style::branched), is_folded.then_some("folded"))} key={tree.key.clone()}>
                if tree.slabs.is_empty() {
                    <p class={style::bare}>{ self.texts.no_layers }</p>
                } else {
                    <ol class={style::slabs}>{ for tree.slabs.iter().map(|slab| self.slab(slab, striped)) }</ol>
                }
                { for tree.images.iter().map(|image| self.label(image, tree, is_folded)) }
                if is_branched {
                    <ul class={style::above}>
                        { for tree.containers.iter().map(|container| self.container(container)) }
                        { for tree.branches.iter().map(|branch| self.branch(branch)) }
                    </ul>
                }
            </li>
        }
    }

    fn look(&self, subject: Subject) -> Callback<MouseEvent> {
        self.props.on_look.reform(move |_: MouseEvent| subject.clone())
    }

    fn branch(&self, tree: &Rc<Tree>) -> Html {
        let props = RootProps { tree: Rc::clone(tree), ..self.props.clone() };
        html! { <Root key={tree.key.clone()} ..props /> }
    }

    fn slab(&self, slab: &Slab, striped: bool) -> Html {
        let chain = slab.chain_id.to_string();
        let from = slab.blob.is_some().then_some("registry");
        if striped {
            let line = self.texts.slab_line(slab);
            return html! {
                <li key={chain.clone()}>
                    <span role="img" class={classes!(style::slab, style::stripe, tint(slab))} data-layer={slab.short.clone()} data-flip={chain}
                        data-uses={slab.used_by.len().to_string()} data-spot={slab.short.clone()} data-from={from} title={line.clone()}
                        aria-label={line}></span>
                </li>
            };
        }
        let onclick = self.look(Subject::Layer(slab.chain_id));
        let shared = slab.used_by.len() > 1;
        html! {
            <li key={chain.clone()}>
                <button type="button" class={classes!(style::slab, tint(slab))} data-layer={slab.short.clone()}
                    data-flip={chain} data-uses={slab.used_by.len().to_string()} data-spot={slab.short.clone()} data-from={from}
                    title={self.texts.slab_line(slab)} {onclick}>
                    <span class={style::step}>{ instruction(self.texts, slab) }</span>
                    <span class={style::facts}>
                        <code>{ &slab.short }</code>
                        if shared {
                            <span class={style::shared}>{ fill(self.texts.shared_by, &[&slab.used_by.len().to_string()]) }</span>
                        }
                        <span class={style::bytes}>{ self.texts.slab_size(slab) }</span>
                    </span>
                </button>
            </li>
        }
    }

    fn container(&self, container: &ContainerBox) -> Html {
        let fact = &container.fact;
        let (state, mark) = match fact.state {
            ContainerState::Running => (style::running, "●"),
            ContainerState::Paused => (style::paused, "‖"),
            ContainerState::Created => (style::created, "○"),
            ContainerState::Exited(_) => (style::exited, "■"),
        };
        let wrote = (fact.changed_paths > 0).then_some(style::wrote);
        html! {
            <li class={classes!(style::container, state, wrote)} key={fact.id.clone()} data-container={fact.name.clone()}
                data-flip={fact.id.clone()} title={self.texts.container_line(container)}>
                <button type="button" class={style::container_name} onclick={self.look(Subject::Object(fact.id.clone()))}
                    data-spot={fact.id.get(..12).map(str::to_owned)} title={fill(self.own.look_inside, &[&fact.name])}>{ &fact.name }</button>
                <span class={style::state}><span aria-hidden="true">{ mark }</span>{ " " }{ self.texts.state(fact.state) }</span>
                { for fact.ports.iter().map(|port| html! {
                    <span class={style::port} title={fill(self.texts.port, &[&port.host.to_string(), &port.container.to_string()])}>
                        { format!("{}→{}", port.host, port.container) }
                    </span>
                }) }
                <span class={style::writable}>{ self.texts.writable_content(container) }</span>
                if !fact.recent.is_empty() {
                    <ul class={style::touches}>{ for fact.recent.iter().rev().map(|touch| self.touch(touch)) }</ul>
                }
            </li>
        }
    }

    /// An image's names, on top of its layers.
    fn label(&self, image: &ImageLabel, tree: &Tree, is_folded: bool) -> Html {
        let names = if image.names.is_empty() { vec![image.title().to_owned()] } else { image.names.clone() };
        let id = image.id.to_string();
        let fold = (tree.slabs.len() > 2).then(|| {
            let (name, sign) = if is_folded { (self.own.unfold, "▸") } else { (self.own.fold, "▾") };
            let name = fill(name, &[image.title()]);
            let key = tree.key.clone();
            let onclick = self.props.on_fold.reform(move |_: MouseEvent| key.clone());
            let open = if is_folded { "false" } else { "true" };
            html! {
                <button type="button" class={style::fold} title={name.clone()} aria-label={name} aria-expanded={open} {onclick}>
                    { sign }
                </button>
            }
        });
        html! {
            <div class={style::label} key={id.clone()} data-flip={id.clone()}>
                <button type="button" class={classes!(style::title, format!("tint-{}", tint_of_hex(&image.id.short())))}
                    data-spot={image.id.short()} title={fill(self.own.look_inside, &[image.title()])}
                    onclick={self.look(Subject::Object(id))}>
                    <span class={style::names}>
                        { for names.into_iter().map(|name| html! { <b data-image={name.clone()}>{ name }</b> }) }
                    </span>
                    <span class={style::bytes}>{ human_size3(image.size_bytes) }</span>
                </button>
                { for fold }
            </div>
        }
    }

    /// What last became of a container's file.
    fn touch(&self, touch: &Touch) -> Html {
        let (sign, class) = match touch.how {
            How::Created => ("+", style::created_file),
            How::CopiedUp(_) => ("↑", style::copied_file),
            How::WhitedOut => ("−", style::hidden_file),
            How::MadeOpaque => ("◼", style::hidden_file),
        };
        let name = touch.path.rsplit('/').next().unwrap_or(&touch.path);
        let from = touch.from.as_ref().map(|from| format!("tint-{}", tint_of_hex(from)));
        html! {
            <li key={format!("{sign}{}", touch.path)} {class} title={self.own.touch(touch)}>
                <b aria-hidden="true">{ sign }</b><span>{ name }</span>
                { for from.map(|from| html! { <i class={classes!(style::from, from)} aria-hidden="true"></i> }) }
            </li>
        }
    }
}
