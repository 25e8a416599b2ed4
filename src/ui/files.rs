//! The host's files: folders to walk through, files to open in the editor, to take in and to hand out.

use wasm_bindgen::JsCast;
use web_sys::{Event as DomEvent, FileList, HtmlInputElement, SubmitEvent};
use yew::prelude::*;

use crate::base::errno::Errno;
use crate::base::size::human_size3;
use crate::machine::host;
use crate::ui::editor::Editor;
use crate::ui::session::{Session, Topic, use_topic};
use crate::view::files::{self, Row};
use crate::view::texts::{Language, fill};

stylance::import_crate_style!(style, "src/ui/files.module.css");

/// What the pane shows.
#[derive(Properties, PartialEq)]
pub struct FilesProps {
    /// The machine.
    pub session: Session,
    /// The language.
    pub language: Language,
}

/// A file that is open, and whether it has changes that were not saved.
#[derive(Clone, PartialEq)]
struct Open {
    path: String,
    dirty: bool,
}

/// The pane: the list, and a tab for every open file.
#[function_component]
pub fn Files(props: &FilesProps) -> Html {
    use_topic(&props.session, Topic::Stage);
    let texts = props.language.panes();
    let open = use_state_eq(Vec::<Open>::new);
    let front = use_state_eq(|| None::<String>);
    // Closing a file with changes is asked for twice.
    let closing = use_state_eq(|| None::<String>);
    let open_all = {
        let (open, front) = (open.clone(), front.clone());
        move |paths: Vec<String>| {
            let mut all = (*open).clone();
            for path in &paths {
                if !all.iter().any(|file| file.path == *path) {
                    all.push(Open { path: path.clone(), dirty: false });
                }
            }
            open.set(all);
            if let Some(last) = paths.last() {
                front.set(Some(last.clone()));
            }
        }
    };
    let on_open = {
        let open_all = open_all.clone();
        Callback::from(move |path: String| open_all(vec![path]))
    };
    {
        let session = props.session.clone();
        use_effect(move || {
            let wanted = session.take_wanted_files();
            if !wanted.is_empty() {
                open_all(wanted);
            }
        });
    }
    let on_dirty = {
        let open = open.clone();
        Callback::from(move |(path, dirty): (String, bool)| {
            open.set(
                open.iter()
                    .map(|f| Open { dirty: if f.path == path { dirty } else { f.dirty }, ..f.clone() })
                    .collect(),
            );
        })
    };
    let close = {
        let (open, front, closing) = (open.clone(), front.clone(), closing.clone());
        Callback::from(move |path: String| {
            let dirty = open.iter().any(|file| file.path == path && file.dirty);
            if dirty && closing.as_ref() != Some(&path) {
                closing.set(Some(path));
                return;
            }
            closing.set(None);
            open.set(open.iter().filter(|file| file.path != path).cloned().collect());
            if front.as_ref() == Some(&path) {
                front.set(None);
            }
        })
    };
    let tab = |path: Option<&Open>| {
        let name = path.map_or(texts.files, |file| files::name(&file.path)).to_owned();
        let to = path.map(|file| file.path.clone());
        let current = if *front == to { "true" } else { "false" };
        let onclick = {
            let (front, to) = (front.clone(), to.clone());
            Callback::from(move |_: MouseEvent| front.set(to.clone()))
        };
        let dirty = path.is_some_and(|file| file.dirty);
        let asked = to.is_some() && *closing == to;
        let onclose = to.clone().map(|to| close.reform(move |_: MouseEvent| to.clone()));
        html! {
            <span class={style::tab} key={to.clone().unwrap_or_default()}>
                <button type="button" aria-pressed={current} title={to.clone()} {onclick}>
                    { name.clone() }
                    if dirty { <i title={texts.unsaved} aria-label={texts.unsaved} role="img">{ "●" }</i> }
                </button>
                if let Some(onclose) = onclose {
                    <button type="button" class={style::close} aria-label={fill(texts.close_file, &[&name])}
                        title={fill(texts.close_file, &[&name])} onclick={onclose}>
                        { if asked { texts.close_anyway } else { "×" } }
                    </button>
                }
            </span>
        }
    };
    let editor = |file: &Open| {
        html! {
            <Editor key={file.path.clone()} session={props.session.clone()} language={props.language}
                path={file.path.clone()} hidden={front.as_ref() != Some(&file.path)} on_dirty={on_dirty.clone()} />
        }
    };
    html! {
        <section class={style::pane} data-capas="files" aria-label={texts.files}>
            if !open.is_empty() {
                <div class={style::tabs}>{ tab(None) }{ for open.iter().map(|file| tab(Some(file))) }</div>
            }
            if front.is_none() {
                <Folder session={props.session.clone()} language={props.language} {on_open} />
            }
            { for open.iter().map(editor) }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct FolderProps {
    session: Session,
    language: Language,
    on_open: Callback<String>,
}

/// A folder of the host.
#[function_component]
fn Folder(props: &FolderProps) -> Html {
    use_topic(&props.session, Topic::Files);
    let texts = props.language.panes();
    let session = &props.session;
    let folder = use_state_eq(|| host::HOME.to_owned());
    let problem = use_state_eq(|| None::<(String, Errno)>);
    let naming = use_state_eq(|| false);
    let all = use_state_eq(|| false);
    let listed = session.folder(&folder);
    let (rows, error) = match listed {
        Ok(rows) => (rows, None),
        Err(error) => (Vec::new(), Some((folder.to_string(), error))),
    };
    let up = {
        let folder = folder.clone();
        Callback::from(move |_: MouseEvent| folder.set(files::parent(&folder).to_owned()))
    };
    let row = |row: &Row| {
        let path = files::join(&folder, &row.name);
        let onclick = {
            let (folder, on_open, path, is_folder) =
                (folder.clone(), props.on_open.clone(), path.clone(), row.is_folder);
            Callback::from(move |_: MouseEvent| match is_folder {
                true => folder.set(path.clone()),
                false => on_open.emit(path.clone()),
            })
        };
        let download = {
            let (session, problem, name) = (session.clone(), problem.clone(), row.name.clone());
            Callback::from(move |_: MouseEvent| {
                problem.set(session.download(&path).err().map(|error| (name.clone(), error)));
            })
        };
        let name = fill(texts.download, &[&row.name]);
        html! {
            <li key={row.name.clone()}>
                <button type="button" class={style::name} {onclick}>
                    <svg viewBox="0 0 16 16" aria-hidden="true">
                        if row.is_folder {
                            <path d="M1.5 3h4.6l1.6 1.8h6.8v8.7h-13z" fill="currentColor" />
                        } else {
                            <path d="M3.5 1.5h6l3 3v10h-9z" fill="none" stroke="currentColor" stroke-width="1.3" />
                        }
                    </svg>
                    <span>{ &row.name }{ if row.is_folder { "/" } else { "" } }</span>
                </button>
                if !row.is_folder {
                    <span class={style::size}>{ human_size3(row.size_bytes) }</span>
                    <button type="button" class={style::out} aria-label={name.clone()} title={name} onclick={download}>
                        { "↓" }
                    </button>
                }
            </li>
        }
    };
    let name_it = {
        let naming = naming.clone();
        Callback::from(move |_: MouseEvent| naming.set(!*naming))
    };
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with(*naming, move |naming| {
            if let (true, Some(field)) = (*naming, field.cast::<HtmlInputElement>()) {
                field.focus().unwrap_or_default();
            }
        });
    }
    let create = {
        let (session, folder, field, naming) = (session.clone(), folder.clone(), field.clone(), naming.clone());
        let (problem, on_open) = (problem.clone(), props.on_open.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let name = field.cast::<HtmlInputElement>().map(|field| field.value()).unwrap_or_default();
            let name = name.trim();
            if name.is_empty() {
                return;
            }
            let path = files::join(&folder, name);
            let made = match session.read(&path) {
                Err(Errno::ENOENT) => session.save(&path, "".into()),
                other => other.map(drop),
            };
            match made {
                Ok(()) => {
                    naming.set(false);
                    on_open.emit(path);
                }
                Err(error) => problem.set(Some((name.to_owned(), error))),
            }
        })
    };
    let picked = {
        let (session, folder) = (session.clone(), folder.clone());
        Callback::from(move |event: DomEvent| {
            if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
                take_all(&session, input.files(), &folder);
                input.set_value("");
            }
        })
    };
    let hidden = rows.iter().filter(|row| row.name.starts_with('.')).count();
    let shown: Vec<&Row> = rows.iter().filter(|row| *all || !row.name.starts_with('.')).collect();
    let toggle = {
        let all = all.clone();
        Callback::from(move |_: MouseEvent| all.set(!*all))
    };
    html! {
        <div class={style::folder}>
            <div class={style::bar}>
                <button type="button" class={style::tool} onclick={up} aria-label={texts.up} title={texts.up}
                    disabled={*folder == "/"}>{ "↑" }</button>
                <code class={style::path}>{ &*folder }</code>
                <button type="button" class={style::tool} aria-expanded={if *naming { "true" } else { "false" }}
                    onclick={name_it}>{ texts.new_file }</button>
                <label class={style::tool}>
                    { texts.upload }
                    <input type="file" multiple=true onchange={picked} />
                </label>
            </div>
            if *naming {
                <form class={style::naming} onsubmit={create}>
                    <input ref={field} type="text" aria-label={texts.new_file_name} placeholder="Dockerfile"
                        autocapitalize="none" autocomplete="off" spellcheck="false" />
                    <button type="submit" class={style::tool}>{ texts.create }</button>
                </form>
            }
            if let Some((name, error)) = problem.as_ref().or(error.as_ref()) {
                <p class={style::problem} role="alert">{ texts.file_error(name, *error) }</p>
            }
            <ul class={style::list} aria-label={fill(texts.folder, &[&folder])}>{ for shown.iter().map(|r| row(r)) }</ul>
            if shown.is_empty() && error.is_none() {
                <p class={style::empty}>{ texts.empty_folder }</p>
            }
            if hidden > 0 {
                <button type="button" class={style::hidden} aria-pressed={if *all { "true" } else { "false" }}
                    onclick={toggle}>{ fill(texts.hidden_files, &[&hidden.to_string()]) }</button>
            }
        </div>
    }
}

/// Takes every file of a list into a folder.
pub fn take_all(session: &Session, list: Option<FileList>, folder: &str) {
    let Some(list) = list else { return };
    for file in (0..list.length()).filter_map(|at| list.item(at)) {
        session.take_file(file, folder);
    }
}
