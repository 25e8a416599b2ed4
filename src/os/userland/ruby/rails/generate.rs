//! `rails generate model|scaffold|migration`: the files, with the migration that makes their table.

use super::App;
use super::new::{camel, create, did};
use crate::os::kernel::{Open, Proc};
use crate::os::userland::date::strftime;

/// The plural of an English word, as far as endings go.
fn plural(word: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    match word.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "ch", "sh"]) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// `CreateArticles` and `article` with an underscore between words.
fn under(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `rails generate`.
pub async fn main(proc: &Proc, app: &App, args: &[String]) -> i32 {
    let (kind, name, fields) = match args {
        [kind, name, fields @ ..] if matches!(kind.as_str(), "model" | "scaffold" | "migration") => {
            (kind, name, fields)
        }
        [other, ..] if !matches!(other.as_str(), "model" | "scaffold" | "migration") => {
            proc.eprint(format!("rails: `rails generate {other}` is not simulated in Capas\n")).await;
            return 1;
        }
        _ => {
            let _ = proc.print("Usage:\n  rails generate GENERATOR NAME [field:type ...]\n").await;
            return 1;
        }
    };
    if name.contains('/') || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        proc.eprint(format!("rails: `{name}` as a name is not simulated in Capas\n")).await;
        return 1;
    }
    if proc.chdir(app.dir.as_bytes()).is_err() {
        return 1;
    }
    let single = under(name);
    let many = plural(&single);
    let (class, table) = match kind.as_str() {
        "migration" => (camel(&single), single.strip_prefix("create_").map(ToOwned::to_owned)),
        _ => (format!("Create{}", camel(&many)), Some(many.clone())),
    };
    let stamp = strftime("%Y%m%d%H%M%S", proc.now());
    let mut body = String::new();
    if let Some(table) = &table {
        body.push_str(&format!("    create_table :{table} do |t|\n"));
        for field in fields {
            let (field, sort) = field.split_once(':').unwrap_or((field, "string"));
            body.push_str(&format!("      t.{sort} :{field}\n"));
        }
        body.push_str("\n      t.timestamps\n    end\n");
    }
    let migration = format!("class {class} < ActiveRecord::Migration[7.0]\n  def change\n{body}  end\nend\n");
    if kind != "migration" {
        did(proc, "invoke", "active_record").await;
    }
    create(proc, &format!("db/migrate/{stamp}_{}.rb", under(&class)), &migration).await;
    if kind == "migration" {
        return 0;
    }
    let model = camel(&single);
    create(proc, &format!("app/models/{single}.rb"), &format!("class {model} < ApplicationRecord\nend\n")).await;
    if kind == "scaffold" {
        scaffold(proc, &single, &many, &model).await;
    }
    0
}

async fn scaffold(proc: &Proc, single: &str, many: &str, model: &str) {
    did(proc, "invoke", "resource_route").await;
    did(proc, "route", &format!("resources :{many}")).await;
    let routes = proc.read_file(b"config/routes.rb").await.unwrap_or_default().to_vec();
    let routes = String::from_utf8_lossy(&routes).into_owned();
    let first = routes.find('\n').map_or(routes.len(), |at| at + 1);
    let (head, rest) = routes.split_at(first);
    let text = format!("{head}  resources :{many}\n{rest}");
    if let Ok(fd) = proc.open(b"config/routes.rb", Open::WRITE) {
        let _ = proc.write(fd, text.as_bytes()).await;
        let _ = proc.close(fd);
    }
    did(proc, "invoke", "scaffold_controller").await;
    let controller = format!(
        "class {}Controller < ApplicationController\n  def index\n    @{many} = {model}.all\n  end\n\n  def show\n    @{single} = {model}.find(params[:id])\n  end\nend\n",
        camel(many)
    );
    create(proc, &format!("app/controllers/{many}_controller.rb"), &controller).await;
    did(proc, "invoke", "erb").await;
    for view in ["index", "show", "new", "edit", "_form"] {
        let text = format!("<h1>{model}: {view}</h1>\n");
        create(proc, &format!("app/views/{many}/{view}.html.erb"), &text).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_put_in_the_plural_and_underlined() {
        assert_eq!(["article", "category", "day", "box"].map(plural), ["articles", "categories", "days", "boxes"]);
        assert_eq!(under("CreateBlogPosts"), "create_blog_posts");
    }
}
