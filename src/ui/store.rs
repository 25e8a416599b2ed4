//! Sessions in the browser's own database (IndexedDB): a row a session, and its journal in chunks, so that saving writes
//! only what is new. What a chunk holds is a journal in its compact form; this module knows bytes.

use crate::base::sort::Arrange;
use js_sys::{Array, JsString, Promise, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode};

const DATABASE: &str = "capas";
/// Of the stores, not of journals.
const VERSION: u32 = 1;
const ROWS: &str = "sessions";
const CHUNKS: &str = "chunks";

/// A session that is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Its name in the database.
    pub id: String,
    /// When it was last saved, in milliseconds since 1970.
    pub saved_ms: f64,
    /// How many chunks it has.
    pub chunks: usize,
    /// How many commands were typed in it.
    pub commands: usize,
    /// The last of them.
    pub title: String,
}

/// The database.
pub struct Store(IdbDatabase);

impl Store {
    /// Opens it.
    ///
    /// # Errors
    /// Where the browser keeps nothing: private windows, sandboxed frames, a full disk.
    pub async fn open() -> Result<Self, JsValue> {
        let factory = web_sys::window().and_then(|window| window.indexed_db().ok().flatten()).ok_or(JsValue::NULL)?;
        let request: IdbOpenDbRequest = factory.open_with_u32(DATABASE, VERSION)?;
        let opening = request.clone();
        let upgrade = Closure::<dyn FnMut()>::new(move || {
            if let Ok(database) = opening.result().map(JsCast::unchecked_into::<IdbDatabase>) {
                for name in [ROWS, CHUNKS] {
                    drop(database.create_object_store(name));
                }
            }
        });
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let database: IdbDatabase = done(&request).await?.unchecked_into();
        Ok(Self(database))
    }

    fn stores(&self, mode: IdbTransactionMode) -> Result<(IdbObjectStore, IdbObjectStore), JsValue> {
        let names = Array::of2(&ROWS.into(), &CHUNKS.into());
        let transaction = self.0.transaction_with_str_sequence_and_mode(&names, mode)?;
        Ok((transaction.object_store(ROWS)?, transaction.object_store(CHUNKS)?))
    }

    /// All sessions, the last saved first.
    ///
    /// # Errors
    /// Those of the browser.
    pub async fn rows(&self) -> Result<Vec<Row>, JsValue> {
        let (rows, _) = self.stores(IdbTransactionMode::Readonly)?;
        let found: Array = done(&rows.get_all()?).await?.unchecked_into();
        let mut rows: Vec<Row> = found.iter().filter_map(|row| read_row(&row)).collect();
        rows.arrange_by(|a, b| b.saved_ms.total_cmp(&a.saved_ms));
        Ok(rows)
    }

    /// Writes a session's row and some of its chunks, all or nothing. Does not wait for it: so it works while the page goes.
    ///
    /// # Errors
    /// Those of the browser.
    pub fn put(&self, row: &Row, chunks: &[(usize, Vec<u8>)]) -> Result<IdbRequest, JsValue> {
        let (rows, bodies) = self.stores(IdbTransactionMode::Readwrite)?;
        for (at, bytes) in chunks {
            bodies.put_with_key(&Uint8Array::from(bytes.as_slice()), &chunk_key(&row.id, *at).into())?;
        }
        let value = Array::new();
        value.push(&row.id.as_str().into());
        for number in [row.saved_ms, row.chunks as f64, row.commands as f64] {
            value.push(&number.into());
        }
        value.push(&row.title.as_str().into());
        rows.put_with_key(&value, &row.id.as_str().into())
    }

    /// The chunks of a session, in order. A missing one is empty.
    ///
    /// # Errors
    /// Those of the browser.
    pub async fn chunks(&self, row: &Row) -> Result<Vec<Vec<u8>>, JsValue> {
        let mut found = Vec::new();
        for at in 0..row.chunks {
            let (_, bodies) = self.stores(IdbTransactionMode::Readonly)?;
            let body = done(&bodies.get(&chunk_key(&row.id, at).into())?).await?;
            found.push(body.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).unwrap_or_default());
        }
        Ok(found)
    }

    /// Forgets a session.
    ///
    /// # Errors
    /// Those of the browser.
    pub fn delete(&self, id: &str) -> Result<(), JsValue> {
        let (rows, bodies) = self.stores(IdbTransactionMode::Readwrite)?;
        rows.delete(&id.into())?;
        // Keys are `id/number`; `0` is the character after `/`.
        let range = IdbKeyRange::bound(&format!("{id}/").into(), &format!("{id}0").into())?;
        bodies.delete(&range)?;
        Ok(())
    }
}

fn chunk_key(id: &str, at: usize) -> String {
    format!("{id}/{at:06}")
}

fn read_row(value: &JsValue) -> Option<Row> {
    let row: &Array = value.dyn_ref()?;
    Some(Row {
        id: row.get(0).as_string()?,
        saved_ms: row.get(1).as_f64()?,
        chunks: row.get(2).as_f64()? as usize,
        commands: row.get(3).as_f64()? as usize,
        title: row.get(4).dyn_ref::<JsString>().map(String::from).unwrap_or_default(),
    })
}

/// Waits for a request.
///
/// # Errors
/// What the browser says.
pub async fn done(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(promise).await?;
    request.result()
}
