//! Recipes in short form: many images in one text, `static/catalogue/shelf`.
//!
//! `@repository|tags|date`, the Dockerfile, then the files of its context: `%name base` with lines of the package catalogue
//! is an archive (over the root file system of a release, if one is named), `=name` with indented lines is a script, and
//! `=name<repository` is that of another recipe.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::recipes::{File, Recipe};

static SHELF: &str = include_str!("../../../static/catalogue/shelf");

/// Its recipes.
pub fn recipes() -> &'static [Recipe] {
    static RECIPES: OnceLock<Vec<Recipe>> = OnceLock::new();
    RECIPES.get_or_init(|| SHELF.split("\n@").skip(1).filter_map(read).collect())
}

fn read(text: &'static str) -> Option<Recipe> {
    let (head, body) = text.split_once('\n')?;
    let mut fields = head.split('|');
    let (repository, tags, day) = (fields.next()?, fields.next()?, fields.next()?);
    let mut day = day.splitn(3, '-');
    let built = (day.next()?.parse().ok()?, day.next()?.parse().ok()?, day.next()?.parse().ok()?);
    let mut files = Vec::new();
    // Where the next part begins: an archive, or a text whose name is no absolute path.
    let begins = |line: &str| line.starts_with('%') || (line.starts_with('=') && !line.starts_with("=/"));
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if begins(line) {
            starts.push(at);
        }
        at += line.len();
    }
    let dockerfile = body.get(..starts.first().copied().unwrap_or(at))?;
    for (index, from) in starts.iter().enumerate() {
        let part = body.get(*from..starts.get(index + 1).copied().unwrap_or(at))?;
        let (name, lines) = part.split_once('\n').unwrap_or((part, ""));
        files.push(match name.strip_prefix('%') {
            Some(archive) => {
                let name = archive.split(' ').next().unwrap_or_default();
                // The base stands on the first line, alone.
                File::Rootfs(name, part.get(1 + name.len()..)?.trim_start_matches(' '))
            }
            None => match name.get(1..)?.split_once('<') {
                Some((name, repository)) => super::recipes::file(repository, name)?,
                None => File::Indented(name.get(1..)?, lines),
            },
        });
    }
    Some(Recipe { repository, tags, dockerfile, files: Cow::Owned(files), built })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_shelf_is_read() {
        let recipes = recipes();
        assert_eq!(recipes.len(), SHELF.lines().filter(|line| line.starts_with('@')).count());
        for recipe in recipes {
            assert!(recipe.dockerfile.starts_with("FROM "), "{}", recipe.repository);
            // What the Dockerfile adds is there, and what is there is added.
            for file in recipe.files.iter() {
                let (File::Rootfs(name, _) | File::Indented(name, _) | File::Script(name, _)) = file else {
                    panic!("{file:?}")
                };
                assert!(recipe.dockerfile.contains(name), "{}: {name}", recipe.repository);
            }
            let parts = SHELF.lines().filter(|line| line.starts_with('%')).count();
            assert!(parts > 30);
        }
        let node = recipes.iter().find(|r| r.repository == "library/node").unwrap();
        assert_eq!((node.built, node.files.len()), ((2021, 12, 3), 3));
    }
}
