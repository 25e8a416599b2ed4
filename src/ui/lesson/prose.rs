//! The Markdown of exercises, drawn. Text stays text; only links to the web become links.

use yew::prelude::*;

use crate::lesson::markdown::{self, Block, Span};

/// Blocks of Markdown.
pub fn prose(text: &str) -> Html {
    html! { <>{ for markdown::blocks(text).iter().map(block) }</> }
}

/// A line of Markdown.
pub fn line(text: &str) -> Html {
    spans(&markdown::spans(text))
}

fn block(block: &Block) -> Html {
    let item = |item: &Vec<Span>| html! { <li>{ spans(item) }</li> };
    match block {
        Block::Paragraph(inner) => html! { <p>{ spans(inner) }</p> },
        Block::Heading(inner) => html! { <h3>{ spans(inner) }</h3> },
        Block::List { is_numbered: true, items } => html! { <ol>{ for items.iter().map(item) }</ol> },
        Block::List { items, .. } => html! { <ul>{ for items.iter().map(item) }</ul> },
        Block::Code { text, .. } => html! { <pre tabindex="0"><code>{ text }</code></pre> },
    }
}

/// The parts of a line.
pub fn spans(all: &[Span]) -> Html {
    html! { <>{ for all.iter().map(span) }</> }
}

fn span(span: &Span) -> Html {
    match span {
        Span::Text(text) => html! { { text } },
        Span::Code(text) => html! { <code>{ text }</code> },
        Span::Strong(inner) => html! { <strong>{ spans(inner) }</strong> },
        Span::Emphasis(inner) => html! { <em>{ spans(inner) }</em> },
        Span::Link { text, target } if target.starts_with("https://") => {
            html! { <a href={target.clone()} target="_blank" rel="noopener noreferrer">{ spans(text) }</a> }
        }
        Span::Link { text, .. } => spans(text),
    }
}
