//! The cluster: databases, roles and tables, and the statements that change them.
//!
//! Errors are PostgreSQL's words (`src/backend/commands/dbcommands.c`, `user.c`, `parser/parse_relation.c`).

use std::collections::BTreeMap;

mod relations;

use relations::Relation;

use super::sql::{Cursor, Result, Word, name, text, words};
use super::wire::Answer;

/// Things of one kind that a cluster holds, and rows of a table.
const MAX_THINGS: usize = 10_000;

/// Rows with their heading.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Table {
    /// What stands above it, if anything.
    pub title: String,
    /// The columns' names; `>` before one that stands to the right.
    pub columns: Vec<String>,
    /// Their values.
    pub rows: Vec<Vec<String>>,
    /// Whether `(2 rows)` follows.
    pub is_counted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Database {
    owner: String,
    /// What roles may, in PostgreSQL's letters; the empty name is everybody. None: as it began.
    grants: Option<Vec<(String, String)>>,
    tables: BTreeMap<String, Relation>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Role {
    is_superuser: bool,
    may_create_roles: bool,
    may_create_databases: bool,
    may_replicate: bool,
    bypasses_rls: bool,
    may_log_in: bool,
    password: Option<String>,
}

/// Who asks, and in which database.
#[derive(Clone, Debug)]
pub struct Session {
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
}

/// Databases and roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    databases: BTreeMap<String, Database>,
    roles: BTreeMap<String, Role>,
    /// The locale that `initdb` found.
    locale: String,
    version: String,
}

impl Cluster {
    /// What `initdb` makes.
    pub fn new(superuser: &str, password: Option<String>, locale: &str, version: &str) -> Self {
        let mut cluster = Self { locale: locale.to_owned(), version: version.to_owned(), ..Self::default() };
        let role = Role {
            is_superuser: true,
            may_create_roles: true,
            may_create_databases: true,
            may_replicate: true,
            bypasses_rls: true,
            may_log_in: true,
            password,
        };
        cluster.roles.insert(superuser.to_owned(), role);
        for database in ["postgres", "template0", "template1"] {
            let mut made = Database { owner: superuser.to_owned(), ..Database::default() };
            if database != "postgres" {
                made.grants = Some(vec![(String::new(), "c".to_owned()), (superuser.to_owned(), "CTc".to_owned())]);
            }
            cluster.databases.insert(database.to_owned(), made);
        }
        cluster
    }

    /// Whether somebody may connect; the error is what the server says. `needs_password` where he comes from asks for one.
    pub fn admit(&self, session: &Session, password: Option<&str>, needs_password: bool) -> Result<bool> {
        if needs_password {
            let known = self.roles.get(&session.user).and_then(|role| role.password.as_deref());
            match password {
                None => return Ok(false),
                Some(given) if known != Some(given) => {
                    return Err(format!("FATAL:  password authentication failed for user \"{}\"", session.user));
                }
                Some(_) => {}
            }
        }
        let Some(role) = self.roles.get(&session.user) else {
            return Err(format!("FATAL:  role \"{}\" does not exist", session.user));
        };
        if !role.may_log_in {
            return Err(format!("FATAL:  role \"{}\" is not permitted to log in", session.user));
        }
        if !self.databases.contains_key(&session.database) {
            return Err(format!("FATAL:  database \"{}\" does not exist", session.database));
        }
        if session.database == "template0" {
            return Err("FATAL:  database \"template0\" is not currently accepting connections".to_owned());
        }
        Ok(true)
    }

    /// Whether a role is a superuser.
    pub fn is_superuser(&self, user: &str) -> bool {
        self.roles.get(user).is_some_and(|role| role.is_superuser)
    }

    /// The statements that make it again.
    pub fn dump(&self) -> String {
        let mut out = format!("locale {}\n", self.locale);
        for (role, has) in &self.roles {
            out.push_str(&format!("CREATE ROLE {} {};\n", name(role), has.options()));
        }
        for (database, has) in &self.databases {
            out.push_str(&format!("CREATE DATABASE {} OWNER {};\n", name(database), name(&has.owner)));
            for (role, letters) in has.grants.iter().flatten() {
                out.push_str(&format!("LETTERS {} {} {letters};\n", name(database), text(role)));
            }
            out.push_str(&format!("CONNECT {};\n", name(database)));
            for (table, relation) in &has.tables {
                let columns = relation.columns.iter().map(|(column, kind)| format!("{} {kind}", name(column)));
                let columns = columns.collect::<Vec<_>>().join(", ");
                out.push_str(&format!("CREATE TABLE {} ({columns});\n", name(table)));
                for row in &relation.rows {
                    let values = row.iter().map(|value| text(value)).collect::<Vec<_>>().join(", ");
                    out.push_str(&format!("INSERT INTO {} VALUES ({values});\n", name(table)));
                }
            }
        }
        out
    }

    /// What was dumped.
    pub fn load(dump: &str, version: &str) -> Self {
        let (head, rest) = dump.split_once('\n').unwrap_or((dump, ""));
        let mut cluster = Self {
            locale: head.strip_prefix("locale ").unwrap_or("en_US.utf8").to_owned(),
            version: version.to_owned(),
            ..Self::default()
        };
        let mut session = Session { user: String::new(), database: String::new() };
        for statement in super::sql::statements(rest).0 {
            let words = words(&statement);
            match words.as_slice() {
                [Word::Plain(verb), Word::Plain(database) | Word::Quoted(database)] if verb == "connect" => {
                    session.database.clone_from(database);
                    if let Some(database) = cluster.databases.get(&session.database) {
                        session.user.clone_from(&database.owner);
                    }
                }
                [Word::Plain(verb), Word::Plain(database) | Word::Quoted(database), Word::Text(role), ..]
                    if verb == "letters" =>
                {
                    let letters = statement.rsplit(' ').next().unwrap_or_default().to_owned();
                    if let Some(database) = cluster.databases.get_mut(database) {
                        database.grants.get_or_insert_default().push((role.clone(), letters));
                    }
                }
                // What was written can be done again.
                _ => drop(cluster.run(&statement, &session)),
            }
        }
        cluster
    }

    /// Carries out one statement, or one of `psql`'s questions, which begin with a backslash.
    pub fn run(&mut self, source: &str, session: &Session) -> Vec<Answer> {
        let done = match source.trim() {
            "\\l" => Ok(Answer::Rows(self.list_databases())),
            "\\du" => Ok(Answer::Rows(self.list_roles())),
            "\\d" | "\\dt" => self.list_tables(session),
            other if other.starts_with("\\d ") => self.describe(other.get(3..).unwrap_or_default().trim(), session),
            _ => self.statement(source, session),
        };
        vec![done.unwrap_or_else(Answer::Error)]
    }

    fn statement(&mut self, source: &str, session: &Session) -> Result<Answer> {
        let words = words(source);
        let mut cursor = Cursor { words: &words, at: 0, source };
        let tag = |tag: &str| Ok(Answer::Tag(tag.to_owned()));
        let Some(Word::Plain(verb)) = cursor.next() else {
            cursor.at = 0;
            return Err(cursor.wrong());
        };
        let what = match cursor.peek() {
            Some(Word::Plain(word)) => word.clone(),
            _ => String::new(),
        };
        match (verb.as_str(), what.as_str()) {
            ("create", "database") => self.create_database(&mut cursor, session),
            ("create", "role" | "user") => self.create_role(&mut cursor, session),
            ("create", "table") => self.create_table(&mut cursor, session),
            ("alter", "database") => self.alter_database(&mut cursor),
            ("alter", "role" | "user") => self.alter_role(&mut cursor),
            ("drop", "database" | "role" | "user" | "table") => self.drop(&mut cursor, session),
            ("grant" | "revoke", _) => self.grant(&mut cursor, verb == "grant"),
            ("insert", _) => self.insert(&mut cursor, session),
            ("delete", _) => self.delete(&mut cursor, session),
            ("select", _) => self.select(&mut cursor, session).map_err(|error| match cursor.peek() {
                // Expressions that PostgreSQL knows and this does not.
                Some(Word::Mark('(' | '+' | '-' | '*' | '/')) => {
                    "ERROR:  this expression is not simulated in Capas".to_owned()
                }
                _ => error,
            }),
            ("begin", _) => tag("BEGIN"),
            ("commit" | "end", _) => tag("COMMIT"),
            ("show", "server_version") => Ok(one("server_version", &self.version)),
            (
                "update" | "with" | "copy" | "explain" | "truncate" | "alter" | "create" | "drop" | "show" | "rollback"
                | "vacuum" | "comment" | "do" | "set",
                _,
            ) => Err(format!("ERROR:  {} is not simulated in Capas", format!("{verb} {what}").trim().to_uppercase())),
            _ => {
                cursor.at = 0;
                Err(cursor.wrong())
            }
        }
    }

    fn require(&self, session: &Session, may: impl Fn(&Role) -> bool, what: &str) -> Result<()> {
        // While a dump is read there may be nobody yet.
        let allowed = self.roles.get(&session.user).is_none_or(|role| role.is_superuser || may(role));
        if allowed { Ok(()) } else { Err(format!("ERROR:  permission denied to create {what}")) }
    }

    fn create_database(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        cursor.at += 1;
        let database = cursor.identifier()?;
        let mut owner = session.user.clone();
        cursor.take("with");
        while let Some(Word::Plain(option)) = cursor.next() {
            cursor.mark('=');
            let value = cursor.next();
            if let (true, Some(Word::Plain(name) | Word::Quoted(name))) = (option == "owner", value) {
                owner = name;
            }
        }
        self.require(session, |role| role.may_create_databases, "database")?;
        if !self.roles.contains_key(&owner) && !self.roles.is_empty() {
            return Err(format!("ERROR:  role \"{owner}\" does not exist"));
        }
        if self.databases.contains_key(&database) {
            return Err(format!("ERROR:  database \"{database}\" already exists"));
        }
        if self.databases.len() >= MAX_THINGS {
            return Err("ERROR:  could not create another database".to_owned());
        }
        self.databases.insert(database, Database { owner, ..Database::default() });
        Ok(Answer::Tag("CREATE DATABASE".to_owned()))
    }

    fn create_role(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        let is_user = cursor.take("user");
        cursor.at += usize::from(!is_user);
        let role = cursor.identifier()?;
        self.require(session, |role| role.may_create_roles, "role")?;
        if self.roles.contains_key(&role) {
            return Err(format!("ERROR:  role \"{role}\" already exists"));
        }
        let mut made = Role { may_log_in: is_user, ..Role::default() };
        made.options_of(cursor)?;
        if self.roles.len() >= MAX_THINGS {
            return Err("ERROR:  could not create another role".to_owned());
        }
        self.roles.insert(role, made);
        Ok(Answer::Tag("CREATE ROLE".to_owned()))
    }

    fn alter_role(&mut self, cursor: &mut Cursor<'_>) -> Result<Answer> {
        cursor.at += 1;
        let role = cursor.identifier()?;
        let missing = format!("ERROR:  role \"{role}\" does not exist");
        self.roles.get_mut(&role).ok_or(missing)?.options_of(cursor)?;
        Ok(Answer::Tag("ALTER ROLE".to_owned()))
    }

    fn alter_database(&mut self, cursor: &mut Cursor<'_>) -> Result<Answer> {
        cursor.at += 1;
        let database = cursor.identifier()?;
        let missing = format!("ERROR:  database \"{database}\" does not exist");
        if cursor.take("owner") && cursor.take("to") {
            let owner = cursor.identifier()?;
            cursor.end()?;
            if !self.roles.contains_key(&owner) {
                return Err(format!("ERROR:  role \"{owner}\" does not exist"));
            }
            let known = self.databases.get_mut(&database).ok_or(missing)?;
            let before = std::mem::replace(&mut known.owner, owner.clone());
            // What the old owner could, the new one can.
            if let Some(grants) = &mut known.grants {
                let letters = grants.iter().find(|(role, _)| *role == before).map(|(_, letters)| letters.clone());
                grants.retain(|(role, _)| *role != before || *role == owner);
                match grants.iter_mut().find(|(role, _)| *role == owner) {
                    Some((_, has)) => *has = "CTc".to_owned(),
                    None => grants.push((owner, letters.unwrap_or_else(|| "CTc".to_owned()))),
                }
            }
        } else if cursor.take("rename") && cursor.take("to") {
            let new = cursor.identifier()?;
            let known = self.databases.remove(&database).ok_or(missing)?;
            self.databases.insert(new, known);
        } else {
            return Err(cursor.wrong());
        }
        Ok(Answer::Tag("ALTER DATABASE".to_owned()))
    }

    fn drop(&mut self, cursor: &mut Cursor<'_>, session: &Session) -> Result<Answer> {
        let what = cursor.identifier()?;
        let lenient = cursor.if_exists(false);
        let thing = cursor.identifier()?;
        cursor.end()?;
        let kind = if what == "user" { "role" } else { &what };
        let gone = match kind {
            "database" if thing == session.database => {
                return Err("ERROR:  cannot drop the currently open database".to_owned());
            }
            "database" => self.databases.remove(&thing).is_some(),
            "role" => {
                if let Some((database, _)) = self.databases.iter().find(|(_, has)| has.owner == thing) {
                    return Err(format!(
                        "ERROR:  role \"{thing}\" cannot be dropped because some objects depend on it\nDETAIL:  owner of database {database}"
                    ));
                }
                if let Some((database, _)) =
                    self.databases.iter().find(|(_, has)| has.grants.iter().flatten().any(|(role, _)| *role == thing))
                {
                    return Err(format!(
                        "ERROR:  role \"{thing}\" cannot be dropped because some objects depend on it\nDETAIL:  privileges for database {database}"
                    ));
                }
                self.roles.remove(&thing).is_some()
            }
            _ => self.tables(session)?.remove(&thing).is_some(),
        };
        if !gone && !lenient {
            return Err(format!("ERROR:  {kind} \"{thing}\" does not exist"));
        }
        Ok(Answer::Tag(format!("DROP {}", kind.to_uppercase())))
    }

    fn grant(&mut self, cursor: &mut Cursor<'_>, gives: bool) -> Result<Answer> {
        let mut letters = String::new();
        loop {
            match cursor.identifier()?.as_str() {
                "all" => {
                    cursor.take("privileges");
                    letters.push_str("CTc");
                }
                "create" => letters.push('C'),
                "temporary" | "temp" => letters.push('T'),
                "connect" => letters.push('c'),
                other => return Err(format!("ERROR:  GRANT of {} is not simulated in Capas", other.to_uppercase())),
            }
            if !cursor.mark(',') {
                break;
            }
        }
        if !(cursor.take("on") && cursor.take("database")) {
            return Err("ERROR:  GRANT on anything but databases is not simulated in Capas".to_owned());
        }
        let database = cursor.identifier()?;
        if !cursor.take(if gives { "to" } else { "from" }) {
            return Err(cursor.wrong());
        }
        let role = cursor.identifier()?;
        let role = if role == "public" { String::new() } else { role };
        if !role.is_empty() && !self.roles.contains_key(&role) {
            return Err(format!("ERROR:  role \"{role}\" does not exist"));
        }
        let known = self.databases.get_mut(&database);
        let known = known.ok_or(format!("ERROR:  database \"{database}\" does not exist"))?;
        let owner = known.owner.clone();
        let first = || vec![(String::new(), "Tc".to_owned()), (owner, "CTc".to_owned())];
        let grants = known.grants.get_or_insert_with(first);
        if !grants.iter().any(|(known, _)| *known == role) {
            grants.push((role.clone(), String::new()));
        }
        for (_, has) in grants.iter_mut().filter(|(known, _)| *known == role) {
            let keeps = |c: &char| {
                if gives { has.contains(*c) || letters.contains(*c) } else { has.contains(*c) && !letters.contains(*c) }
            };
            *has = "CTc".chars().filter(keeps).collect();
        }
        grants.retain(|(_, letters)| !letters.is_empty());
        Ok(Answer::Tag(if gives { "GRANT" } else { "REVOKE" }.to_owned()))
    }

    fn list_databases(&self) -> Table {
        let privileges = |has: &Database| {
            let item = |(role, letters): &(String, String)| {
                let quote = |role: &str| if role.is_empty() { String::new() } else { name(role) };
                format!("{}={letters}/{}", quote(role), name(&has.owner))
            };
            has.grants.iter().flatten().map(item).collect::<Vec<_>>().join("\n")
        };
        let row = |(database, has): (&String, &Database)| {
            vec![
                database.clone(),
                has.owner.clone(),
                "UTF8".to_owned(),
                self.locale.clone(),
                self.locale.clone(),
                privileges(has),
            ]
        };
        Table {
            title: "List of databases".to_owned(),
            columns: ["Name", "Owner", "Encoding", "Collate", "Ctype", "Access privileges"].map(str::to_owned).to_vec(),
            rows: self.databases.iter().map(row).collect(),
            is_counted: true,
        }
    }

    fn list_roles(&self) -> Table {
        let row = |(role, has): (&String, &Role)| vec![role.clone(), has.attributes(), "{}".to_owned()];
        Table {
            title: "List of roles".to_owned(),
            columns: ["Role name", "Attributes", "Member of"].map(str::to_owned).to_vec(),
            rows: self.roles.iter().map(row).collect(),
            is_counted: false,
        }
    }
}

fn one(column: &str, value: &str) -> Answer {
    Answer::Rows(Table {
        columns: vec![column.to_owned()],
        rows: vec![vec![value.to_owned()]],
        is_counted: true,
        ..Table::default()
    })
}

impl Role {
    fn options_of(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.take("with");
        while let Some(word) = cursor.next() {
            let Word::Plain(option) = &word else {
                cursor.at -= 1;
                return Err(cursor.wrong());
            };
            let (yes, option) = match option.strip_prefix("no") {
                Some(rest) => (false, rest),
                None => (true, option.as_str()),
            };
            match option {
                "superuser" => self.is_superuser = yes,
                "createrole" => self.may_create_roles = yes,
                "createdb" => self.may_create_databases = yes,
                "replication" => self.may_replicate = yes,
                "bypassrls" => self.bypasses_rls = yes,
                "login" => self.may_log_in = yes,
                "inherit" | "encrypted" => {}
                "password" => match cursor.next() {
                    Some(Word::Text(password)) => self.password = Some(password),
                    Some(word) if word.is("null") => self.password = None,
                    _ => {
                        cursor.at = cursor.at.saturating_sub(1);
                        return Err(cursor.wrong());
                    }
                },
                other => return Err(format!("ERROR:  unrecognized role option \"{other}\"")),
            }
        }
        Ok(())
    }

    fn flags(&self) -> [(bool, &'static str, &'static str); 5] {
        [
            (self.is_superuser, "SUPERUSER", "Superuser"),
            (self.may_create_roles, "CREATEROLE", "Create role"),
            (self.may_create_databases, "CREATEDB", "Create DB"),
            (self.may_replicate, "REPLICATION", "Replication"),
            (self.bypasses_rls, "BYPASSRLS", "Bypass RLS"),
        ]
    }

    fn options(&self) -> String {
        let mut options: Vec<String> =
            self.flags().iter().filter(|(yes, ..)| *yes).map(|(_, option, _)| (*option).to_owned()).collect();
        options.extend(self.may_log_in.then(|| "LOGIN".to_owned()));
        options.extend(self.password.as_deref().map(|password| format!("PASSWORD {}", text(password))));
        options.join(" ")
    }

    /// As `\du` tells them.
    fn attributes(&self) -> String {
        let mut told: Vec<&str> = self.flags().iter().filter(|(yes, ..)| *yes).map(|(.., told)| *told).collect();
        if !self.may_log_in {
            told.push("Cannot login");
        }
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(cluster: &mut Cluster, statement: &str) -> String {
        let session = Session { user: "postgres".to_owned(), database: "postgres".to_owned() };
        match cluster.run(statement, &session).remove(0) {
            Answer::Tag(text) | Answer::Error(text) | Answer::Notice(text) => text,
            Answer::Rows(table) => table.rows.iter().map(|row| row.join("|")).collect::<Vec<_>>().join(";"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn databases_roles_and_grants_are_listed_as_psql_lists_them() {
        let mut cluster = Cluster::new("postgres", None, "en_US.utf8", "14");
        assert_eq!(ask(&mut cluster, "create database \"blog-dev\" "), "CREATE DATABASE");
        assert_eq!(ask(&mut cluster, "CREATE ROLE \"blog-dev\" with PASSWORD '1' LOGIN"), "CREATE ROLE");
        assert_eq!(ask(&mut cluster, "grant all privileges on database \"blog-dev\" to \"blog-dev\""), "GRANT");
        let listed = ask(&mut cluster, "\\l");
        assert!(listed.contains("=Tc/postgres\npostgres=CTc/postgres\n\"blog-dev\"=CTc/postgres"), "{listed}");
        assert_eq!(ask(&mut cluster, "ALTER DATABASE \"blog-dev\" OWNER TO \"blog-dev\""), "ALTER DATABASE");
        let listed = ask(&mut cluster, "\\l");
        assert!(listed.contains("=Tc/\"blog-dev\"\n\"blog-dev\"=CTc/\"blog-dev\";"), "{listed}");
        assert!(ask(&mut cluster, "\\du").starts_with("blog-dev||{};postgres|Superuser, Create role"));
        assert!(ask(&mut cluster, "drop role \"blog-dev\"").contains("cannot be dropped"));
        assert!(ask(&mut cluster, "create databas x").contains("not simulated"));
        assert_eq!(
            ask(&mut cluster, "selec 1"),
            "ERROR:  syntax error at or near \"selec\"\nLINE 1: selec 1\n        ^"
        );
    }

    #[test]
    fn what_is_dumped_comes_back() {
        let mut cluster = Cluster::new("postgres", Some("p'w".to_owned()), "C", "14");
        for statement in [
            "create user a createdb",
            "create database \"B\" owner a",
            "grant connect on database \"B\" to postgres",
            "create table t (id serial primary key, name varchar(20) not null)",
            "insert into t (name) values ('it''s'), ('b')",
        ] {
            assert!(!ask(&mut cluster, statement).starts_with("ERROR"), "{statement}");
        }
        assert_eq!(ask(&mut cluster, "select * from t where id = 2"), "2|b");
        assert_eq!(Cluster::load(&cluster.dump(), "14"), cluster);
    }

    #[test]
    fn strangers_and_wrong_passwords_are_not_admitted() {
        let cluster = Cluster::new("postgres", Some("x".to_owned()), "C", "14");
        let as_who = |user: &str| Session { user: user.to_owned(), database: "postgres".to_owned() };
        assert_eq!(cluster.admit(&as_who("postgres"), None, false), Ok(true));
        assert_eq!(cluster.admit(&as_who("postgres"), None, true), Ok(false));
        assert!(cluster.admit(&as_who("postgres"), Some("y"), true).is_err());
        assert_eq!(cluster.admit(&as_who("root"), None, false), Err("FATAL:  role \"root\" does not exist".to_owned()));
    }
}
