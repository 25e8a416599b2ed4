//! Variables with their attributes, and the scopes of functions.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Declared, without a value.
    Unset,
    /// Text.
    Text(BString),
    /// An indexed array.
    Array(BTreeMap<i64, BString>),
    /// An associative array.
    Map(BTreeMap<BString, BString>),
}

/// A variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub value: Value,
    pub exported: bool,
    pub readonly: bool,
    pub integer: bool,
}

impl Default for Variable {
    fn default() -> Self {
        Self { value: Value::Unset, exported: false, readonly: false, integer: false }
    }
}

/// All variables of a shell.
#[derive(Clone, Default, Debug)]
pub(super) struct Variables {
    all: BTreeMap<BString, Variable>,
    /// What each function call in progress hides.
    scopes: Vec<BTreeMap<BString, Option<Variable>>>,
}

impl Variables {
    pub fn find(&self, name: &[u8]) -> Option<&Variable> {
        self.all.get(BStr::new(name))
    }

    pub fn entry(&mut self, name: &[u8]) -> &mut Variable {
        self.all.entry(name.into()).or_default()
    }

    /// Bytes of all texts.
    pub fn text_bytes(&self) -> u64 {
        let len = |v: &Variable| match &v.value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        self.all.values().map(len).sum::<usize>() as u64
    }

    /// The text of a variable; of an array, its element 0.
    pub fn get(&self, name: &[u8]) -> Option<&BString> {
        match &self.find(name)?.value {
            Value::Text(text) => Some(text),
            Value::Array(items) => items.get(&0),
            Value::Map(items) => items.get(BStr::new("0")),
            Value::Unset => None,
        }
    }

    pub fn is_readonly(&self, name: &[u8]) -> bool {
        self.find(name).is_some_and(|v| v.readonly)
    }

    /// Sets the text, whatever the attributes say.
    pub fn put(&mut self, name: &[u8], text: impl Into<BString>) {
        let variable = self.entry(name);
        let text = text.into();
        match &mut variable.value {
            Value::Array(items) => drop(items.insert(0, text)),
            Value::Map(items) => drop(items.insert("0".into(), text)),
            value => *value = Value::Text(text),
        }
    }

    pub fn put_array(&mut self, name: &[u8], items: impl IntoIterator<Item = BString>) {
        self.entry(name).value = Value::Array((0..).zip(items).collect());
    }

    pub fn remove(&mut self, name: &[u8]) {
        self.all.remove(BStr::new(name));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&BString, &Variable)> {
        self.all.iter()
    }

    /// The environment of programs: `NAME=value`, sorted by name.
    pub fn environment(&self) -> Vec<BString> {
        self.all
            .iter()
            .filter(|(_, v)| v.exported)
            .filter_map(|(name, v)| match &v.value {
                Value::Text(text) => Some(bstr::join("=", [name.as_bstr(), text.as_bstr()]).into()),
                _ => None,
            })
            .collect()
    }

    pub fn push_scope(&mut self) {
        self.scopes.push(BTreeMap::new());
    }

    pub fn pop_scope(&mut self) {
        for (name, before) in self.scopes.pop().unwrap_or_default() {
            match before {
                Some(variable) => drop(self.all.insert(name, variable)),
                None => drop(self.all.remove(&name)),
            }
        }
    }

    pub fn has_scope(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// Makes a variable local to the innermost function; it starts unset.
    pub fn make_local(&mut self, name: &[u8], keep: bool) {
        let before = self.all.get(BStr::new(name)).cloned();
        let Some(scope) = self.scopes.last_mut() else { return };
        if scope.contains_key(BStr::new(name)) {
            return;
        }
        scope.insert(name.into(), before.clone());
        let exported = before.as_ref().is_some_and(|v| v.exported);
        let value = if keep { before.map_or(Value::Unset, |v| v.value) } else { Value::Unset };
        self.all.insert(name.into(), Variable { value, exported, ..Variable::default() });
    }
}
