//! Questions that are asked before a command runs; the machine gives the answer when it has run.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::lesson::Value;
use crate::lesson::exercise::Question;
use crate::ui::lesson::{prose, style};
use crate::view::texts::{Language, fill};

/// How far a question is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Asking {
    /// What the student chose or wrote.
    pub choice: Option<String>,
    /// What was so before the command.
    pub before: Option<Value>,
    /// The answer, once the machine has given it.
    pub answer: Option<Value>,
}

/// What a question shows.
#[derive(Properties, PartialEq)]
pub struct QuestionProps {
    /// Its number.
    pub at: usize,
    /// The question.
    pub question: QuestionRef,
    /// How far it is.
    pub asking: Asking,
    /// The language.
    pub language: Language,
    /// Whether a program runs.
    pub busy: bool,
    /// Something was chosen.
    pub on_choice: Callback<(usize, String)>,
    /// The command is to be typed.
    pub on_run: Callback<usize>,
}

/// A question that is compared by its place in the file.
#[derive(Clone, Debug)]
pub struct QuestionRef(pub std::rc::Rc<Question>);

impl PartialEq for QuestionRef {
    fn eq(&self, other: &Self) -> bool {
        std::rc::Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A question.
#[function_component]
pub fn QuestionCard(props: &QuestionProps) -> Html {
    let texts = props.language.lesson();
    let (question, at) = (&props.question.0, props.at);
    let chosen = props.asking.choice.clone();
    let option = |option: &String| {
        let (on_choice, value) = (props.on_choice.clone(), option.clone());
        let onchange = Callback::from(move |_: Event| on_choice.emit((at, value.clone())));
        let verdict = props
            .asking
            .answer
            .as_ref()
            .map(|answer| if answer.is_meant_by(option) { Some(style::right) } else { None });
        html! {
            <label class={classes!(style::option, verdict.flatten())} key={option.clone()}>
                <input type="radio" name={format!("question-{at}")} checked={chosen.as_ref() == Some(option)}
                    disabled={props.asking.answer.is_some()} {onchange} />
                <span>{ prose::line(option) }</span>
            </label>
        }
    };
    let oninput = {
        let on_choice = props.on_choice.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                on_choice.emit((at, input.value()));
            }
        })
    };
    let run = {
        let on_run = props.on_run.clone();
        Callback::from(move |_: MouseEvent| on_run.emit(at))
    };
    let result = props.asking.answer.as_ref().map(|answer| {
        let told = answer.tell().in_language(props.language);
        let right = chosen.as_ref().is_some_and(|choice| answer.is_meant_by(choice));
        let verdict = if right { texts.right.to_owned() } else { fill(texts.wrong, &[&told]) };
        html! {
            <div class={style::result} role="status">
                <b>{ verdict }</b>{ " " }{ prose::line(&question.remark) }
            </div>
        }
    });
    html! {
        <fieldset class={style::question} data-capas="question">
            <legend>{ texts.before }{ " " }<code>{ &question.command }</code></legend>
            <p>{ prose::line(&question.text) }</p>
            if question.options.is_empty() {
                <label class={style::written}>{ texts.your_answer }<input type="text" {oninput} /></label>
            } else {
                <div class={style::options}>{ for question.options.iter().map(option) }</div>
            }
            if let Some(result) = result {
                { result }
            } else if chosen.is_some() {
                <button type="button" class={style::primary} disabled={props.busy} onclick={run}>{ texts.run_and_see }</button>
            }
        </fieldset>
    }
}
