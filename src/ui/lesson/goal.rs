//! The goal's picture beside the student's own, part by part, each with its mark.

use yew::prelude::*;

use crate::base::size::human_size3;
use crate::ui::lesson::style;
use crate::view::lesson::{Comparison, ContainerPart, LayerPart, Mark, NamePart, StackPart};
use crate::view::picture::ContainerState;
use crate::view::texts::{Language, lesson::LessonTexts};

/// The comparison.
pub fn goal(comparison: &Comparison, language: Language) -> Html {
    let texts = language.lesson();
    let group = |title: &'static str, parts: Vec<Html>| {
        if parts.is_empty() {
            html! {}
        } else {
            html! { <div class={style::group}><h4>{ title }</h4><ul>{ for parts }</ul></div> }
        }
    };
    let names = |names: &[NamePart]| {
        names
            .iter()
            .map(|part| html! { <li class={style::part}>{ mark(part.mark, texts) }<span>{ &part.name }</span></li> })
            .collect()
    };
    html! {
        <div class={style::picture} data-capas="goal">
            <p class={style::legend} aria-hidden="true">{ texts.legend }</p>
            { group(texts.images, comparison.images.iter().map(|part| image(part, texts)).collect()) }
            { group(texts.containers, comparison.containers.iter().map(|part| container(part, language)).collect()) }
            { group(texts.volumes, names(&comparison.volumes)) }
            { group(texts.networks, names(&comparison.networks)) }
        </div>
    }
}

fn mark(mark: Mark, texts: &LessonTexts) -> Html {
    let (sign, class, word) = match mark {
        Mark::There => ("✓", style::there, texts.there),
        Mark::Missing => ("○", style::missing, texts.missing),
        Mark::Extra => ("✕", style::extra, texts.extra),
        Mark::Wrong => ("≠", style::other, texts.other),
    };
    html! {
        <span class={classes!(style::mark, class)} title={word}>
            <span aria-hidden="true">{ sign }</span><span class={style::hidden}>{ word }</span>
        </span>
    }
}

fn image(part: &StackPart, texts: &LessonTexts) -> Html {
    let layer = |layer: &LayerPart| {
        let outline = match layer.mark {
            Mark::Missing => Some(style::ghost),
            Mark::Extra => Some(style::faint),
            _ => None,
        };
        html! {
            <li class={classes!(style::layer, format!("tint-{}", layer.tint), outline)}>
                if layer.mark != Mark::There { { mark(layer.mark, texts) } }
                <span class={style::step}>{ &layer.step }</span>
                <span class={style::bytes}>{ human_size3(layer.size_bytes) }</span>
            </li>
        }
    };
    html! {
        <li class={style::part}>
            { mark(part.mark, texts) }
            <div class={style::stack}>
                <b>{ &part.name }</b>
                // The lowest layer is the lowest on the screen too.
                <ol>{ for part.layers.iter().rev().map(layer) }</ol>
            </div>
        </li>
    }
}

fn container(part: &ContainerPart, language: Language) -> Html {
    let texts = language.texts();
    let state = |state: ContainerState| texts.state(state);
    html! {
        <li class={style::part}>
            { mark(part.mark, language.lesson()) }
            <span>
                <b>{ &part.name }</b>{ " · " }
                if let Some(own) = part.own_state {
                    <s>{ state(own) }</s>{ " " }
                }
                { state(part.state) }
                { for part.ports.iter().map(|(host, inside)| html! { <code class={style::port}>{ format!("{host}→{inside}") }</code> }) }
            </span>
        </li>
    }
}
