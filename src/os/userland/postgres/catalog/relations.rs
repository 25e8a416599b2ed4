//! Small tables: made, filled, emptied, read and described.

use std::collections::BTreeMap;

use super::{Cluster, MAX_THINGS, Session, Table};
use crate::os::userland::postgres::sql::{Cursor, Result, Word};
use crate::os::userland::postgres::wire::Answer;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) owner: String,
    /// Names and types.
    pub(super) columns: Vec<(String, String)>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Cluster {
    pub(super) fn tables(&mut self, session: &Session) -> Result<&mut BTreeMap<String, Relation>> {
        let missing = format!("ERROR:  database \"{}\" does not exist", session.database);
        Ok(&mut self.databases.get_mut(&session.database).ok_or(missing)?.tables)
    }

    pub(super) fn create_table(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        cursor.at += 1;
        let lenient = cursor.if_exists(true);
        let table = cursor.identifier()?;
        let mut relation = Relation { owner: session.user.clone(), ..Relation::default() };
        if !cursor.mark('(') {
            return Err(cursor.wrong());
        }
        loop {
            let column = cursor.identifier()?;
            let mut kind = cursor.identifier()?;
            if cursor.mark('(') {
                let length = cursor.next().map(|word| word.show()).unwrap_or_default();
                kind.push_str(&format!("({length})"));
                cursor.mark(')');
            }
            // Constraints are not kept.
            let mut depth = 0;
            while let Some(word) = cursor.peek() {
                match word {
                    Word::Mark('(') => depth += 1,
                    Word::Mark(',') if depth == 0 => break,
                    Word::Mark(')') if depth == 0 => break,
                    Word::Mark(')') => depth -= 1,
                    _ => {}
                }
                cursor.at += 1;
            }
            relation.columns.push((column, kind));
            if !cursor.mark(',') {
                break;
            }
        }
        if !cursor.mark(')') {
            return Err(cursor.wrong());
        }
        let tables = self.tables(session)?;
        if tables.contains_key(&table) {
            if lenient {
                return Ok(Answer::Tag("CREATE TABLE".to_owned()));
            }
            return Err(format!("ERROR:  relation \"{table}\" already exists"));
        }
        if tables.len() >= MAX_THINGS {
            return Err("ERROR:  could not create another table".to_owned());
        }
        tables.insert(table, relation);
        Ok(Answer::Tag("CREATE TABLE".to_owned()))
    }

    pub(super) fn relation(&mut self, table: &str, session: &Session) -> Result<&mut Relation> {
        self.tables(session)?.get_mut(table).ok_or(format!("ERROR:  relation \"{table}\" does not exist"))
    }

    pub(super) fn insert(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        if !cursor.take("into") {
            return Err(cursor.wrong());
        }
        let table = cursor.identifier()?;
        let relation = self.relation(&table, session)?;
        let names: Vec<String> = relation.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut into = names.clone();
        if cursor.mark('(') {
            into.clear();
            loop {
                let column = cursor.identifier()?;
                if !names.contains(&column) {
                    return Err(format!("ERROR:  column \"{column}\" of relation \"{table}\" does not exist"));
                }
                into.push(column);
                if !cursor.mark(',') {
                    break;
                }
            }
            cursor.mark(')');
        }
        if !cursor.take("values") {
            return Err(cursor.wrong());
        }
        let mut count = 0;
        loop {
            if !cursor.mark('(') {
                return Err(cursor.wrong());
            }
            let mut row: BTreeMap<String, String> = BTreeMap::new();
            let mut columns = into.iter();
            loop {
                let value = match cursor.next() {
                    Some(Word::Text(value) | Word::Number(value)) => value,
                    Some(Word::Plain(word)) if word == "null" || word == "default" => String::new(),
                    Some(Word::Plain(word)) if word == "true" || word == "false" => word.chars().take(1).collect(),
                    _ => {
                        cursor.at = cursor.at.saturating_sub(1);
                        return Err(cursor.wrong());
                    }
                };
                let Some(column) = columns.next() else {
                    return Err("ERROR:  INSERT has more expressions than target columns".to_owned());
                };
                row.insert(column.clone(), value);
                if !cursor.mark(',') {
                    break;
                }
            }
            cursor.mark(')');
            if relation.rows.len() >= MAX_THINGS {
                return Err("ERROR:  could not extend file: No space left on device".to_owned());
            }
            // A serial column counts by itself.
            let serial = (relation.rows.len() + 1).to_string();
            let value = |(column, kind): &(String, String)| match row.remove(column) {
                Some(value) => value,
                None if kind.contains("serial") => serial.clone(),
                None => String::new(),
            };
            let row = relation.columns.iter().map(value).collect();
            relation.rows.push(row);
            count += 1;
            if !cursor.mark(',') {
                break;
            }
        }
        cursor.end()?;
        Ok(Answer::Tag(format!("INSERT 0 {count}")))
    }

    pub(super) fn delete(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        if !cursor.take("from") {
            return Err(cursor.wrong());
        }
        let table = cursor.identifier()?;
        let relation = self.relation(&table, session)?;
        let keep = condition(cursor, relation)?;
        let before = relation.rows.len();
        relation.rows.retain(|row| keep.as_ref().is_some_and(|(at, value)| row.get(*at) != Some(value)));
        Ok(Answer::Tag(format!("DELETE {}", before - relation.rows.len())))
    }

    pub(super) fn select(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        let start = cursor.at;
        if let Some(from) = cursor.words.iter().position(|word| word.is("from")) {
            let mut wanted = Vec::new();
            let all = cursor.mark('*');
            while !all && cursor.at < from {
                wanted.push(cursor.identifier()?);
                cursor.mark(',');
            }
            cursor.at = from + 1;
            let table = cursor.identifier()?;
            let system = match table.as_str() {
                "pg_database" => Some(("datname", self.databases.keys().cloned().collect::<Vec<_>>())),
                "pg_roles" | "pg_user" => Some(("rolname", self.roles.keys().cloned().collect())),
                _ => None,
            };
            if let Some((column, values)) = system {
                let column = if table == "pg_user" { "usename" } else { column };
                if wanted != [column] {
                    return Err(format!("ERROR:  columns of {table} but {column} are not simulated in Capas"));
                }
                let rows = values.into_iter().map(|value| vec![value]).collect();
                return Ok(Answer::Rows(Table { columns: wanted, rows, is_counted: true, ..Table::default() }));
            }
            let relation = self.relation(&table, session)?;
            let keep = condition(cursor, relation)?;
            let known: Vec<String> = relation.columns.iter().map(|(name, _)| name.clone()).collect();
            let wanted = if all { known.clone() } else { wanted };
            let mut places = Vec::new();
            for column in &wanted {
                let at = known.iter().position(|known| known == column);
                places.push(at.ok_or(format!("ERROR:  column \"{column}\" does not exist"))?);
            }
            let is_number = |at: &usize| {
                relation.columns.get(*at).is_some_and(|(_, kind)| {
                    ["int", "serial", "numeric", "real", "double", "bigint", "smallint"]
                        .iter()
                        .any(|n| kind.starts_with(n))
                })
            };
            let heading = |at: &usize| {
                let name = known.get(*at).cloned().unwrap_or_default();
                if is_number(at) { format!(">{name}") } else { name }
            };
            let rows =
                relation.rows.iter().filter(|row| keep.as_ref().is_none_or(|(at, value)| row.get(*at) == Some(value)));
            let rows =
                rows.map(|row| places.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect()).collect();
            let columns = places.iter().map(heading).collect();
            return Ok(Answer::Rows(Table { columns, rows, is_counted: true, ..Table::default() }));
        }
        cursor.at = start;
        let (mut columns, mut row) = (Vec::new(), Vec::new());
        loop {
            let (column, value) = match cursor.next() {
                Some(Word::Number(value)) => (">?column?".to_owned(), value),
                Some(Word::Text(value)) => ("?column?".to_owned(), value),
                Some(Word::Plain(function)) => {
                    let called = cursor.mark('(') && cursor.mark(')');
                    let value = match (function.as_str(), called) {
                        ("version", true) => self.version.clone(),
                        ("current_user" | "user" | "session_user", false) => session.user.clone(),
                        ("current_database", true) => session.database.clone(),
                        (other, true) => return Err(format!("ERROR:  function {other}() is not simulated in Capas")),
                        (other, false) => return Err(format!("ERROR:  column \"{other}\" does not exist")),
                    };
                    (function, value)
                }
                _ => {
                    cursor.at = cursor.at.saturating_sub(1);
                    return Err(cursor.wrong());
                }
            };
            let column = if cursor.take("as") { cursor.identifier()? } else { column };
            columns.push(column);
            row.push(value);
            if !cursor.mark(',') {
                break;
            }
        }
        if cursor.at < cursor.words.len() {
            return Err("ERROR:  this expression is not simulated in Capas".to_owned());
        }
        Ok(Answer::Rows(Table { columns, rows: vec![row], is_counted: true, ..Table::default() }))
    }

    pub(super) fn list_tables(&mut self, session: &Session) -> Result<Answer> {
        let tables = self.tables(session)?;
        if tables.is_empty() {
            return Ok(Answer::Notice("Did not find any relations.".to_owned()));
        }
        let row = |(table, has): (&String, &Relation)| {
            vec!["public".to_owned(), table.clone(), "table".to_owned(), has.owner.clone()]
        };
        Ok(Answer::Rows(Table {
            title: "List of relations".to_owned(),
            columns: ["Schema", "Name", "Type", "Owner"].map(str::to_owned).to_vec(),
            rows: tables.iter().map(row).collect(),
            is_counted: true,
        }))
    }

    pub(super) fn describe(&mut self, table: &str, session: &Session) -> Result<Answer> {
        let Some(relation) = self.tables(session)?.get(table) else {
            return Ok(Answer::Notice(format!("Did not find any relation named \"{table}\".")));
        };
        let long = |kind: &str| match kind {
            "int" | "int4" | "serial" => "integer".to_owned(),
            other => other.replace("varchar", "character varying"),
        };
        let row = |(column, kind): &(String, String)| {
            vec![column.clone(), long(kind), String::new(), String::new(), String::new()]
        };
        Ok(Answer::Rows(Table {
            title: format!("Table \"public.{table}\""),
            columns: ["Column", "Type", "Collation", "Nullable", "Default"].map(str::to_owned).to_vec(),
            rows: relation.columns.iter().map(row).collect(),
            is_counted: false,
        }))
    }
}

/// `WHERE column = value`, if it follows.
fn condition(cursor: &mut Cursor<'_>, relation: &Relation) -> Result<Option<(usize, String)>> {
    if !cursor.take("where") {
        cursor.mark(';');
        return if cursor.at < cursor.words.len() {
            Err("ERROR:  this clause is not simulated in Capas".to_owned())
        } else {
            Ok(None)
        };
    }
    let column = cursor.identifier()?;
    let at = relation.columns.iter().position(|(known, _)| *known == column);
    let at = at.ok_or(format!("ERROR:  column \"{column}\" does not exist"))?;
    if !cursor.mark('=') {
        return Err("ERROR:  this condition is not simulated in Capas".to_owned());
    }
    match cursor.next() {
        Some(Word::Text(value) | Word::Number(value)) if cursor.at == cursor.words.len() => Ok(Some((at, value))),
        _ => Err("ERROR:  this condition is not simulated in Capas".to_owned()),
    }
}
