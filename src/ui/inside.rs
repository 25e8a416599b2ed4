//! The pane inside layers: the stack on one side, the files of a layer as an ARIA tree, and what a file holds and where
//! it is from.

use std::collections::BTreeSet;
use std::rc::Rc;

use bstr::{BString, ByteSlice};
use web_sys::{HtmlInputElement, HtmlSelectElement, KeyboardEvent};
use yew::prelude::*;

use crate::base::size::human_size3;
use crate::docker::build::waste::Waste;
use crate::docker::daemon::api::layers::{LayerRole, LayerStack};
use crate::os::fs::stack::{Fate, holdings};
use crate::ui::dom;
use crate::ui::session::{Session, Topic, use_topic};
use crate::ui::waste::WasteView;
use crate::view::inside::{FileNode, Folds, Lens, Line, Mark, Row, RowKind, Step, Subject, Tally, rows, step};
use crate::view::picture::tint_of;
use crate::view::preview::{Body, Preview};
use crate::view::texts::layers::LayersTexts;
use crate::view::texts::{Language, Texts, fill};

stylance::import_crate_style!(style, "src/ui/inside.module.css");

/// The class of the buttons of the pane and of what it shows.
pub const BUTTON: &str = style::button;

/// What is looked into.
#[derive(Properties, PartialEq)]
pub struct InsideProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
    /// An image, a container, a layer.
    pub subject: Subject,
    /// Leads back to the picture.
    pub on_close: Callback<()>,
}

/// Which of the lenses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Only,
    Merged,
    Compare(usize),
    Waste,
}

/// The pane.
#[function_component]
pub fn Inside(props: &InsideProps) -> Html {
    use_topic(&props.session, Topic::World);
    let texts = props.language.layers();
    let revision = props.session.revision();
    let stack = {
        let session = props.session.clone();
        use_memo((props.subject.clone(), revision), move |(subject, _)| session.stack(subject))
    };
    let chosen = use_state_eq(|| None::<usize>);
    let kind = use_state_eq(|| Kind::Only);
    // `None` until the student opens or closes something: then the tree's own choice counts.
    let open = use_state_eq(|| None::<BTreeSet<BString>>);
    let full = use_state_eq(BTreeSet::<BString>::new);
    let filter = use_state_eq(String::new);
    let active = use_state_eq(|| None::<BString>);
    let tree_ref = use_node_ref();
    let count = stack.as_ref().as_ref().map_or(0, |stack| stack.layers.len());
    let at = chosen.filter(|at| *at < count).unwrap_or(count.saturating_sub(1));
    let lens = match *kind {
        Kind::Only => Lens::Layer(at),
        Kind::Merged => Lens::Merged(at),
        Kind::Compare(from) => Lens::Between(from, at),
        // Of a hidden file all layers are told.
        Kind::Waste => Lens::Merged(count.saturating_sub(1)),
    };
    let root = {
        let stack = Rc::clone(&stack);
        use_memo((props.subject.clone(), revision, lens), move |_| {
            stack.as_ref().as_ref().map(|stack| FileNode::of(stack, lens)).unwrap_or_default()
        })
    };
    let tallies = {
        let stack = Rc::clone(&stack);
        use_memo((props.subject.clone(), revision), move |_| tallies(stack.as_ref().as_ref()))
    };
    let waste = {
        let stack = Rc::clone(&stack);
        use_memo((props.subject.clone(), revision), move |_| {
            stack.as_ref().as_ref().map(Waste::of_stack).unwrap_or_default()
        })
    };
    {
        let tree_ref = tree_ref.clone();
        use_effect_with(props.subject.clone(), move |_| {
            if let Some(tree) = dom::html(&tree_ref) {
                dom::focus(&tree);
            }
        });
    }
    let close = {
        let on_close = props.on_close.clone();
        Callback::from(move |_: MouseEvent| on_close.emit(()))
    };
    let back = html! {
        <button type="button" class={classes!(style::button, style::back)} onclick={close} data-capas="back">{ "‹ " }{ texts.back }</button>
    };
    let Some(stack) = stack.as_ref() else {
        return html! { <div class={style::inside}><div class={style::head}>{ back }</div><p class={style::none}>{ texts.gone }</p></div> };
    };
    let folds = Folds {
        open: (*open).clone().unwrap_or_else(|| root.first_open()),
        full: (*full).clone(),
        filter: (*filter).clone(),
    };
    let lines = rows(&root, &folds);
    let place = active.as_ref().and_then(|path| lines.iter().position(|row| row.path == *path));
    {
        let tree_ref = tree_ref.clone();
        use_effect_with(place, move |place| {
            let row = place.and_then(|place| dom::html(&tree_ref)?.children().item(u32::try_from(place).ok()?));
            if let Some(row) = row {
                dom::scroll_into_view(&row);
            }
        });
    }
    let act = {
        let (open, full, active, folds) = (open.clone(), full.clone(), active.clone(), folds.clone());
        Callback::from(move |(row, toggle): (Row, bool)| {
            let mut folds = folds.clone();
            if toggle {
                folds.toggle(&row);
                open.set(Some(folds.open));
                full.set(folds.full);
            }
            active.set(Some(row.path));
        })
    };
    let onkeydown = {
        let (lines, act, on_close) = (lines.clone(), act.clone(), props.on_close.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.ctrl_key() || event.alt_key() || event.meta_key() {
                return;
            }
            if event.key() == "Escape" {
                event.prevent_default();
                on_close.emit(());
                return;
            }
            let here = place.unwrap_or(0);
            let done = match step(&lines, here, &event.key()) {
                // The first key only shows where one is.
                Some(Step::To(_)) if place.is_none() => lines.first().map(|row| (row.clone(), false)),
                Some(Step::To(to)) => lines.get(to).map(|row| (row.clone(), false)),
                Some(Step::Toggle(at)) => lines.get(at).map(|row| (row.clone(), true)),
                None => None,
            };
            if let Some(done) = done {
                event.prevent_default();
                act.emit(done);
            }
        })
    };
    let choose = {
        let (chosen, open, full) = (chosen.clone(), open.clone(), full.clone());
        Callback::from(move |at: usize| {
            chosen.set(Some(at));
            open.set(None);
            full.set(BTreeSet::new());
        })
    };
    let set_kind = {
        let (kind, open) = (kind.clone(), open.clone());
        Callback::from(move |to: Kind| {
            kind.set(to);
            open.set(None);
        })
    };
    let choose_only = {
        let (choose, set_kind) = (choose.clone(), set_kind.clone());
        Callback::from(move |at: usize| {
            set_kind.emit(Kind::Only);
            choose.emit(at);
        })
    };
    let on_path = {
        let active = active.clone();
        Callback::from(move |path: BString| active.set(Some(path)))
    };
    let oninput = {
        let filter = filter.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                filter.set(input.value());
            }
        })
    };
    let shows_layer = !matches!(*kind, Kind::Only);
    let line =
        |(place_of, row): (usize, &Row)| line(texts, row, place_of, place == Some(place_of), shows_layer, &act, stack);
    let detail = active.as_ref().map(|path| {
        let active = active.clone();
        let onclick = Callback::from(move |_: MouseEvent| active.set(None));
        detail(texts, stack, lens, path, onclick)
    });
    let wasted = (props.language.waste().waste, waste.hidden_bytes());
    let layer_name = stack.layers.get(at).map(|layer| texts.layer_name(layer, at)).unwrap_or_default();
    html! {
        <div class={style::inside} data-capas="inside">
            <div class={style::head}>
                { back }
                <h3 title={stack.name.clone()}>{ &stack.name }</h3>
                <span class={style::total}>{ human_size3(stack.layers.iter().map(|layer| layer.size_bytes).sum()) }</span>
            </div>
            <div class={style::body}>
                { layer_list(texts, stack, &tallies, at, &choose) }
                <div class={style::files}>
                    { about(props.language.texts(), texts, stack, at) }
                    <div class={style::tools}>
                        { lenses(texts, stack, at, *kind, &set_kind, wasted) }
                        if *kind != Kind::Waste {
                        <input type="search" class={style::filter} placeholder={texts.filter} aria-label={texts.filter}
                            value={(*filter).clone()} {oninput} autocomplete="off" spellcheck="false" data-capas="file-filter" />
                        }
                    </div>
                    if *kind == Kind::Waste {
                        <WasteView session={props.session.clone()} language={props.language} subject={props.subject.clone()}
                            waste={Rc::clone(&waste)} on_layer={choose_only} {on_path} />
                    } else {
                    <ul class={classes!(style::tree, shows_layer.then_some(style::with_layer))} ref={tree_ref} role="tree" tabindex="0" {onkeydown}
                        aria-label={fill(texts.files, &[&format!("{} · {layer_name}", stack.name)])}
                        aria-activedescendant={place.map(|place| format!("file-{place}"))}>
                        { for lines.iter().enumerate().map(line) }
                    </ul>
                    if lines.is_empty() {
                        <p class={style::none}>{ if filter.is_empty() { texts.nothing } else { texts.no_match } }</p>
                    }
                    }
                </div>
            </div>
            // Not `for`: the tree would be made anew when this joins it, and lose the keyboard.
            if let Some(detail) = detail {
                { detail }
            }
        </div>
    }
}

fn tallies(stack: Option<&LayerStack>) -> Vec<Tally> {
    let Some(stack) = stack else { return Vec::new() };
    let mut below = crate::os::fs::tree::Tree::empty();
    let mut all = Vec::new();
    for layer in &stack.layers {
        all.push(Tally::of(&below, layer));
        below = layer.tree.clone();
    }
    all
}

fn tint(role: LayerRole) -> String {
    match role {
        LayerRole::Image { diff_id, .. } => format!("tint-{}", tint_of(diff_id)),
        LayerRole::Init => "tint-init".to_owned(),
        LayerRole::Writable => "tint-writable".to_owned(),
    }
}

/// The stack, uppermost layer first.
fn layer_list(texts: &LayersTexts, stack: &LayerStack, tallies: &[Tally], at: usize, choose: &Callback<usize>) -> Html {
    let item = |(place, layer): (usize, &crate::docker::daemon::api::layers::StackLayer)| {
        let (keyword, rest) = texts.step(layer);
        let tally = tallies.get(place).copied().unwrap_or_default();
        let choose = choose.clone();
        let onclick = Callback::from(move |_: MouseEvent| choose.emit(place));
        let spot = layer.role.diff_id().map(|diff_id| diff_id.short());
        html! {
            <li key={place}>
                <button type="button" class={classes!(style::layer, tint(layer.role))} {onclick} data-spot={spot.clone()}
                    aria-pressed={if place == at { "true" } else { "false" }} title={format!("{keyword} {rest}")}>
                    <span class={style::step}><b>{ &keyword }</b>{ " " }{ &rest }</span>
                    <span class={style::facts}>
                        <span>{ texts.layer_name(layer, place) }</span>
                        <span class={style::tally}>
                            <span aria-hidden="true">{ LayersTexts::tally(tally) }</span>
                            <span class={style::said}>{ texts.tally_words(tally) }</span>
                        </span>
                        <span class={style::bytes}>{ human_size3(layer.size_bytes) }</span>
                    </span>
                </button>
            </li>
        }
    };
    html! {
        <ol class={style::stack} aria-label={texts.stack} reversed=true>
            { for stack.layers.iter().enumerate().rev().map(item) }
        </ol>
    }
}

/// What is known of the chosen layer.
fn about(page: &Texts, texts: &LayersTexts, stack: &LayerStack, at: usize) -> Html {
    let Some(layer) = stack.layers.get(at) else { return Html::default() };
    let (keyword, rest) = texts.step(layer);
    let users = match layer.used_by.as_slice() {
        [] => None,
        names => Some(fill(page.used_by, &[&names.join(", ")])),
    };
    html! {
        <div class={classes!(style::about, tint(layer.role))} role="region" aria-label={page.layer}>
            <p class={style::full_step}><b>{ keyword }</b>{ " " }{ rest }</p>
            if let Some(diff_id) = layer.role.diff_id() {
                <p class={style::digest} data-spot={diff_id.short()}>{ diff_id.to_string() }</p>
            }
            { for users.map(|users| html! { <p>{ users }</p> }) }
        </div>
    }
}

/// The switch of lenses.
fn lenses(
    texts: &'static LayersTexts,
    stack: &LayerStack,
    at: usize,
    kind: Kind,
    set: &Callback<Kind>,
    (waste, wasted_bytes): (&'static str, u64),
) -> Html {
    let button = |to: Kind, name: &'static str| {
        let set = set.clone();
        let pressed = if kind == to { "true" } else { "false" };
        let onclick = Callback::from(move |_: MouseEvent| set.emit(to));
        let bytes = (to == Kind::Waste && wasted_bytes > 0).then(|| format!(" · {}", human_size3(wasted_bytes)));
        html! { <button type="button" class={style::lens} aria-pressed={pressed} {onclick}>{ name }{ for bytes }</button> }
    };
    let onchange = {
        let set = set.clone();
        Callback::from(move |event: Event| {
            let value = event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value());
            set.emit(value.and_then(|value| value.parse().ok()).map_or(Kind::Only, Kind::Compare));
        })
    };
    let option = |(place, layer): (usize, &crate::docker::daemon::api::layers::StackLayer)| {
        let (keyword, rest) = texts.step(layer);
        let step: String = format!("{keyword} {rest}").chars().take(28).collect();
        html! {
            <option value={place.to_string()} selected={kind == Kind::Compare(place)}>
                { format!("{}: {step}", texts.layer_name(layer, place)) }
            </option>
        }
    };
    html! {
        <div class={style::lenses} role="group" aria-label={texts.lens}>
            { button(Kind::Only, texts.only) }
            { button(Kind::Merged, texts.merged) }
            if !stack.is_container {
                { button(Kind::Waste, waste) }
            }
            if stack.layers.len() > 1 {
                <select class={classes!(style::compare, matches!(kind, Kind::Compare(_)).then_some(style::chosen))}
                    aria-label={texts.compare_with} {onchange}>
                    <option value="" selected={!matches!(kind, Kind::Compare(_))}>{ texts.compare }{ "…" }</option>
                    { for stack.layers.iter().enumerate().filter(|(place, _)| *place != at).map(option) }
                </select>
            }
        </div>
    }
}

fn sign(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Same => ("", style::same),
        Mark::Added => ("+", style::added),
        Mark::Changed => ("~", style::changed),
        Mark::Hidden => ("−", style::hidden),
        Mark::Opaque => ("◼", style::opaque),
    }
}

/// A line of the tree.
fn line(
    texts: &LayersTexts,
    row: &Row,
    place: usize,
    is_active: bool,
    shows_layer: bool,
    act: &Callback<(Row, bool)>,
    stack: &LayerStack,
) -> Html {
    let onclick = {
        let (act, row) = (act.clone(), row.clone());
        Callback::from(move |_: MouseEvent| act.emit((row.clone(), !matches!(row.kind, RowKind::File(_)))))
    };
    let level = format!("lvl-{}", row.level.min(12));
    let id = format!("file-{place}");
    let selected = if is_active { "true" } else { "false" };
    let (level_of, place_of, siblings) = (row.level.to_string(), row.place.to_string(), row.siblings.to_string());
    let Some(shown) = row.kind.line() else {
        let RowKind::More(count) = row.kind else { return Html::default() };
        return html! {
            <li key={format!("{}/…", row.path)} {id} class={classes!(style::row, style::more)} role="treeitem" aria-selected={selected} {onclick}
                aria-level={level_of} aria-posinset={place_of} aria-setsize={siblings}>
                <span class={level}>{ fill(texts.more, &[&count.to_string()]) }</span>
            </li>
        };
    };
    let open = match row.kind {
        RowKind::Folder(_, open) => Some(open),
        _ => None,
    };
    let (sign, mark) = sign(shown.mark);
    let layer = stack.layers.get(shown.layer).filter(|_| shows_layer);
    html! {
        <li key={row.path.to_string()} {id} class={classes!(style::row, mark)} role="treeitem" aria-selected={selected}
            aria-expanded={open.map(|open| if open { "true" } else { "false" })} aria-label={said(texts, shown, open, shows_layer)}
            aria-level={level_of} aria-posinset={place_of} aria-setsize={siblings} {onclick}>
            <span class={style::sign} aria-hidden="true">{ sign }</span>
            <span class={classes!(style::name, level)} aria-hidden="true">
                <span class={style::twisty}>{ match open { Some(true) => "▾", Some(false) => "▸", None => "" } }</span>
                { &shown.name }{ if shown.is_dir { "/" } else { "" } }
                if let Some(target) = &shown.target {
                    <span class={style::target}>{ " → " }{ target }</span>
                }
                if shown.is_dir && open == Some(false) && shown.marked > 0 {
                    <span class={style::marked}>{ shown.marked }</span>
                }
            </span>
            if let Some(layer) = layer {
                <span class={classes!(style::dot, tint(layer.role))} aria-hidden="true">{ shown.layer + 1 }</span>
            }
            <span class={style::bytes} aria-hidden="true">{ human_size3(shown.size_bytes) }</span>
        </li>
    }
}

/// A line for a screen reader.
fn said(texts: &LayersTexts, line: &Line, open: Option<bool>, shows_layer: bool) -> String {
    let mut parts = vec![line.name.clone()];
    if line.mark != Mark::Same {
        parts.push(texts.mark(line.mark).to_owned());
    }
    if open == Some(false) && line.marked > 0 {
        parts.push(texts.marked.of(line.marked));
    }
    parts.push(human_size3(line.size_bytes));
    if shows_layer {
        parts.push(fill(texts.from_layer, &[&(line.layer + 1).to_string()]));
    }
    parts.join(", ")
}

/// What is told of one path.
fn detail(texts: &LayersTexts, stack: &LayerStack, lens: Lens, path: &BString, onclick: Callback<MouseEvent>) -> Html {
    let up_to = stack.layers.get(..=lens.top()).unwrap_or(&stack.layers);
    let found = holdings(up_to.iter().map(|layer| layer.layer.as_ref()), path);
    let absolute = format!("/{}", path.to_str_lossy());
    let covers = |at: &str| absolute.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mount = stack.mounts.iter().find(|mount| covers(&mount.destination));
    let holder = |holding: &crate::os::fs::stack::Holding| {
        let Some(layer) = stack.layers.get(holding.layer) else { return Html::default() };
        let fate = match holding.fate {
            Fate::Wins | Fate::Merged => style::wins,
            Fate::HiddenBy(_) => style::covered,
            Fate::Hides => style::hides,
        };
        html! {
            <li class={fate}>
                <span class={classes!(style::dot, tint(layer.role))}>{ holding.layer + 1 }</span>
                <span>{ texts.layer_name(layer, holding.layer) }</span>
                <span>{ texts.deed(holding) }</span>
                <b>{ texts.fate(holding.fate) }</b>
            </li>
        }
    };
    let preview = Preview::at(stack, lens.top(), path);
    html! {
        <div class={style::detail} role="region" aria-label={absolute.clone()} data-capas="file">
            <div class={style::detail_head}>
                <h4>{ &absolute }</h4>
                if let Some(preview) = &preview {
                    <span>{ format!("{} {}:{} {}", preview.mode, preview.uid, preview.gid, human_size3(preview.size_bytes)) }</span>
                }
                <button type="button" aria-label={texts.close} {onclick}>{ "×" }</button>
            </div>
            if let Some(mount) = mount {
                <p class={style::note}>{ fill(texts.mounted, &[&format!("{} {}", mount.kind, mount.source)]) }</p>
            }
            <ul class={style::holders} aria-label={texts.holders}>{ for found.iter().rev().map(holder) }</ul>
            { for preview.map(|preview| body(texts, &preview)) }
        </div>
    }
}

fn body(texts: &LayersTexts, preview: &Preview) -> Html {
    let note = |text: String| html! { <p class={style::note}>{ text }</p> };
    let pre = |text: &str| {
        html! { <pre class={style::content} tabindex="0" aria-label={texts.content}>{ text }</pre> }
    };
    match &preview.body {
        Body::Empty => note(texts.empty.to_owned()),
        Body::Text(text, goes_on) => html! {
            <>{ pre(text) }{ for goes_on.then(|| note(texts.cut.to_owned())) }</>
        },
        Body::Bytes { dump, bulk_bytes } => {
            let said = match *bulk_bytes {
                0 => texts.bytes.to_owned(),
                bulk => fill(texts.bulk, &[&human_size3(bulk), &human_size3(preview.size_bytes)]),
            };
            html! { <>{ note(said) }{ pre(dump) }</> }
        }
        Body::Link(to) => note(fill(texts.link, &[&to.to_str_lossy()])),
        Body::Folder => Html::default(),
        Body::Special => note(texts.special.to_owned()),
    }
}
