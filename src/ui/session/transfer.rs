//! Files in and out of the page, a slice at a time, so that half a gigabyte does not stop it.

use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, BlobPropertyBag, File, HtmlAnchorElement, Url};

use super::{Session, Topic};
use crate::base::errno::Errno;
use crate::base::packed::PIECE;
use crate::base::rope::Rope;
use crate::ui::dom;
use crate::view::files;

/// Bytes that are read from a file between two looks at everything else.
const SLICE_BYTES: usize = 2 * PIECE;
/// Bytes that are written to a file between two such looks.
const OUT_BYTES: u64 = 8 << 20;
/// The largest file that is taken, in bytes.
pub const MAX_BYTES: f64 = 512.0 * 1024.0 * 1024.0;
/// Transfers that are remembered.
const MAX_TOLD: usize = 4;

/// How a transfer ended, or that it has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// This many thousandths are done.
    Under(u32),
    /// The file is there.
    Done,
    /// It could not be written.
    Failed(Errno),
    /// It is larger than [`MAX_BYTES`].
    TooLarge,
}

/// A file on its way into the machine.
#[derive(Clone, PartialEq, Debug)]
pub struct Transfer {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub folder: String,
    /// Its size.
    pub size_bytes: f64,
    /// How far it is.
    pub progress: Progress,
}

impl Session {
    /// The transfers of late.
    pub fn transfers(&self) -> Rc<Vec<Transfer>> {
        Rc::clone(&self.0.transfers.borrow())
    }

    /// Forgets a transfer; one under way is given up.
    pub fn forget_transfer(&self, number: u32) {
        Rc::make_mut(&mut self.0.transfers.borrow_mut()).retain(|transfer| transfer.number != number);
        self.tell(&[Topic::Transfers]);
    }

    /// Whether it is still wanted.
    fn progressed(&self, number: u32, progress: Progress) -> bool {
        let found = {
            let mut transfers = self.0.transfers.borrow_mut();
            let found = Rc::make_mut(&mut transfers).iter_mut().find(|transfer| transfer.number == number);
            found.map(|transfer| transfer.progress = progress).is_some()
        };
        self.tell(&[Topic::Transfers]);
        found
    }

    /// Copies a file of the visitor's into a folder of the host.
    pub fn take_file(&self, file: File, folder: &str) {
        let number = {
            let mut transfers = self.0.transfers.borrow_mut();
            let number = transfers.iter().map(|transfer| transfer.number).max().map_or(0, |last| last + 1);
            let list = Rc::make_mut(&mut transfers);
            list.push(Transfer {
                number,
                name: file.name(),
                folder: folder.to_owned(),
                size_bytes: file.size(),
                progress: if file.size() > MAX_BYTES { Progress::TooLarge } else { Progress::Under(0) },
            });
            if let (true, Some(old)) =
                (list.len() > MAX_TOLD, list.iter().position(|t| !matches!(t.progress, Progress::Under(_))))
            {
                list.remove(old);
            }
            number
        };
        self.tell(&[Topic::Transfers]);
        if file.size() > MAX_BYTES {
            return;
        }
        let (session, path) = (self.clone(), files::join(folder, &file.name()));
        spawn_local(async move {
            let progress = match session.read_in(&file, number).await {
                Ok(Some(content)) => session.save(&path, content).map_or_else(Progress::Failed, |()| Progress::Done),
                // Given up.
                Ok(None) => return,
                Err(_) => Progress::Failed(Errno::EIO),
            };
            session.progressed(number, progress);
        });
    }

    async fn read_in(&self, file: &File, number: u32) -> Result<Option<Rope>, JsValue> {
        let (mut content, mut at, size) = (Rope::new(), 0.0, file.size());
        while at < size {
            let end = (at + SLICE_BYTES as f64).min(size);
            let slice = file.slice_with_f64_and_f64(at, end)?;
            let bytes = Uint8Array::new(&JsFuture::from(slice.array_buffer()).await?).to_vec();
            content.push_packed(&bytes);
            at = end;
            if !self.progressed(number, Progress::Under((at / size * 1000.0) as u32)) {
                return Ok(None);
            }
        }
        Ok(Some(content))
    }

    /// Hands a file of the host to the visitor.
    pub fn download(&self, path: &str) -> Result<(), Errno> {
        let content = self.read(path)?;
        let name = files::name(path).to_owned();
        spawn_local(async move {
            // A download that the browser refuses has nothing to tell that the browser does not tell itself.
            drop(write_out(&content, &name).await);
        });
        Ok(())
    }
}

async fn write_out(content: &Rope, name: &str) -> Result<(), JsValue> {
    let parts = Array::new();
    let mut reader = content.reader();
    while reader.remaining() > 0 {
        let bytes = reader.take(OUT_BYTES).to_vec();
        let part = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes.as_slice())))?;
        // The browser gets its turn.
        JsFuture::from(part.slice_with_f64_and_f64(0.0, 0.0)?.array_buffer()).await?;
        parts.push(&part);
    }
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    offer(&Blob::new_with_blob_sequence_and_options(&parts, &options)?, name)
}

/// Hands text to the visitor as a file.
pub fn offer_text(text: &str, name: &str) {
    if let Ok(blob) = Blob::new_with_str_sequence(&Array::of1(&text.into())) {
        offer(&blob, name).unwrap_or_default();
    }
}

fn offer(blob: &Blob, name: &str) -> Result<(), JsValue> {
    let url = Url::create_object_url_with_blob(blob)?;
    if let Some(link) = dom::document()
        .and_then(|document| document.create_element("a").ok())
        .and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok())
    {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // The browser has begun to read it once this turn is over.
    let later = gloo::timers::callback::Timeout::new(60_000, move || Url::revoke_object_url(&url).unwrap_or_default());
    later.forget();
    Ok(())
}
