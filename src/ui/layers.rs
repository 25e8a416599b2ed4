//! The pane of layers: the forest of `view::picture`, drawn from the base up, its text twin, and what last changed.

use std::cell::RefCell;
use std::rc::Rc;

use yew::prelude::*;

use crate::base::size::human_size3;
use crate::ui::dom;
use crate::ui::motion::Motion;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::picture::{ContainerBox, ContainerState, ImageLabel, Picture, Slab, Tree};
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
    let texts = props.language.texts();
    let as_text = use_state_eq(|| false);
    let selected = use_state_eq(|| None::<String>);
    let canvas = use_node_ref();
    let motion = use_mut_ref(Motion::default);
    let picture = props.session.picture();
    {
        let (canvas, motion): (NodeRef, Rc<RefCell<Motion>>) = (canvas.clone(), motion);
        use_effect_with((picture.clone(), *as_text), move |_| {
            if let (Some(element), Ok(mut motion)) = (dom::html(&canvas), motion.try_borrow_mut()) {
                motion.settle(&element);
            }
        });
    }
    let on_select = {
        let selected = selected.clone();
        Callback::from(move |chain: String| {
            let again = selected.as_ref() == Some(&chain);
            selected.set((!again).then_some(chain));
        })
    };
    let chosen = selected
        .as_ref()
        .and_then(|chain| picture.slabs().into_iter().find(|slab| slab.chain_id.to_string() == *chain).cloned());
    let drawing = Drawing { texts, selected: selected.as_ref().map(String::as_str), on_select: on_select.clone() };
    let on_close = {
        let selected = selected.clone();
        Callback::from(move |_: MouseEvent| selected.set(None))
    };
    let shape = |text: bool, name: &'static str| {
        let as_text = as_text.clone();
        let pressed = if *as_text == text { "true" } else { "false" };
        let onclick = Callback::from(move |_: MouseEvent| as_text.set(text));
        html! { <button type="button" class={style::shape} aria-pressed={pressed} {onclick}>{ name }</button> }
    };
    let told = props.session.told();
    let first_told = told.len().saturating_sub(MAX_TOLD);
    html! {
        <section class={style::pane} id="layers" tabindex="-1" data-capas="layers" aria-labelledby="layers-title">
            <div class={style::bar}>
                <h2 id="layers-title">{ texts.layers }</h2>
                <div class={style::shapes} role="group" aria-label={texts.view_label}>
                    { shape(false, texts.as_drawing) }
                    { shape(true, texts.as_text) }
                </div>
            </div>
            if !picture.is_empty() && !*as_text {
                { totals(texts, &picture) }
            }
            <div class={style::canvas} ref={canvas} tabindex="0" role="group" aria-label={texts.layers}>
                if picture.is_empty() {
                    { empty(texts) }
                } else if *as_text {
                    { outline(texts, &picture) }
                } else {
                    <ul class={style::forest}>{ for picture.trees.iter().map(|tree| drawing.tree(tree)) }</ul>
                    <p class={style::ground}>
                        <span>{ texts.ground }</span>
                        <span>{ human_size3(picture.totals.disk_bytes) }</span>
                    </p>
                    { shelf(texts, &picture) }
                }
            </div>
            if let Some(slab) = &chosen {
                { detail(texts, slab, on_close) }
            }
            <div class={style::told} role="status">
                { for told.iter().skip(first_told).map(|change| html! { <p>{ texts.change(change) }</p> }) }
            </div>
        </section>
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

/// Volumes and networks, where there are any.
fn shelf(texts: &Texts, picture: &Picture) -> Html {
    let volume = |volume: &crate::view::picture::VolumeFact| {
        html! { <li data-flip={format!("v{}", volume.name)}>{ &volume.name }<small>{ human_size3(volume.size_bytes) }</small></li> }
    };
    let network = |network: &crate::view::picture::NetworkFact| {
        html! { <li data-flip={format!("n{}", network.name)}>{ &network.name }<small>{ &network.driver }</small></li> }
    };
    html! {
        <div class={style::shelves}>
            if !picture.volumes.is_empty() {
                <div><h3>{ texts.volumes }</h3><ul>{ for picture.volumes.iter().map(volume) }</ul></div>
            }
            if !picture.networks.is_empty() {
                <div><h3>{ texts.networks }</h3><ul>{ for picture.networks.iter().map(network) }</ul></div>
            }
        </div>
    }
}

/// One layer in full.
fn detail(texts: &Texts, slab: &Slab, onclick: Callback<MouseEvent>) -> Html {
    let users = match slab.used_by.as_slice() {
        [] => texts.used_by_none.to_owned(),
        names => fill(texts.used_by, &[&names.join(", ")]),
    };
    html! {
        <div class={classes!(style::detail, tint(slab))} role="region" aria-label={texts.layer}>
            <div class={style::detail_head}>
                <h3>{ texts.layer }{ " " }<code>{ &slab.short }</code></h3>
                <span>{ texts.slab_size(slab) }</span>
                <button type="button" aria-label={texts.close} {onclick}>{ "×" }</button>
            </div>
            <p class={style::step}>{ instruction(texts, slab) }</p>
            <p>{ users }</p>
            <p class={style::digest}>{ slab.diff_id.to_string() }</p>
        </div>
    }
}

fn tint(slab: &Slab) -> String {
    format!("tint-{}", slab.tint)
}

fn instruction(texts: &Texts, slab: &Slab) -> Html {
    match &slab.instruction {
        Some(step) => html! { <><b>{ &step.keyword }</b>{ " " }{ &step.rest }</> },
        None => html! { <i>{ texts.arriving }</i> },
    }
}

/// What drawing a tree needs to know.
struct Drawing<'a> {
    texts: &'static Texts,
    selected: Option<&'a str>,
    on_select: Callback<String>,
}

impl Drawing<'_> {
    fn tree(&self, tree: &Tree) -> Html {
        html! {
            <li class={style::tree} key={tree.key.clone()}>
                if tree.slabs.is_empty() {
                    <p class={style::bare}>{ self.texts.no_layers }</p>
                } else {
                    <ol class={style::slabs}>{ for tree.slabs.iter().map(|slab| self.slab(slab)) }</ol>
                }
                { for tree.images.iter().map(label) }
                if !tree.containers.is_empty() || !tree.branches.is_empty() {
                    <ul class={style::above}>
                        { for tree.containers.iter().map(|container| self.container(container)) }
                        { for tree.branches.iter().map(|branch| self.tree(branch)) }
                    </ul>
                }
            </li>
        }
    }

    fn slab(&self, slab: &Slab) -> Html {
        let chain = slab.chain_id.to_string();
        let pressed = if self.selected == Some(chain.as_str()) { "true" } else { "false" };
        let onclick = {
            let (on_select, chain) = (self.on_select.clone(), chain.clone());
            Callback::from(move |_: MouseEvent| on_select.emit(chain.clone()))
        };
        let shared = slab.used_by.len() > 1;
        html! {
            <li key={chain.clone()}>
                <button type="button" class={classes!(style::slab, tint(slab))} data-layer={slab.short.clone()}
                    data-flip={chain} data-uses={slab.used_by.len().to_string()} aria-pressed={pressed}
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
                <span class={style::container_name}>{ &fact.name }</span>
                <span class={style::state}><span aria-hidden="true">{ mark }</span>{ " " }{ self.texts.state(fact.state) }</span>
                { for fact.ports.iter().map(|port| html! {
                    <span class={style::port} title={fill(self.texts.port, &[&port.host.to_string(), &port.container.to_string()])}>
                        { format!("{}→{}", port.host, port.container) }
                    </span>
                }) }
                <span class={style::writable}>{ self.texts.writable_content(container) }</span>
            </li>
        }
    }
}

/// An image's names, on top of its layers.
fn label(image: &ImageLabel) -> Html {
    let names = if image.names.is_empty() { vec![image.title().to_owned()] } else { image.names.clone() };
    html! {
        <div class={style::label} key={image.id.to_string()} data-flip={image.id.to_string()}>
            <span class={style::names}>
                { for names.into_iter().map(|name| html! { <b data-image={name.clone()}>{ name }</b> }) }
            </span>
            <span class={style::bytes}>{ human_size3(image.size_bytes) }</span>
        </div>
    }
}
