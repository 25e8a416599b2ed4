//! `update-ca-certificates`: one file of all trusted certificates, and a link to each.

use bstr::ByteSlice;

use super::make_dirs;
use crate::base::rope::Rope;
use crate::os::kernel::Proc;

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// `update-ca-certificates`.
pub async fn main(proc: Proc) -> i32 {
    make_dirs(&proc, "/etc/ssl/certs");
    let _ = proc.print("Updating certificates in /etc/ssl/certs...\n").await;
    let (mut bundle, mut added) = (Rope::new(), 0);
    for dir in ["/usr/share/ca-certificates/mozilla", "/usr/local/share/ca-certificates"] {
        for entry in proc.readdir(dir.as_bytes()).unwrap_or_default() {
            let Some(stem) = entry.name.strip_suffix(b".crt") else { continue };
            let from = format!("{dir}/{}", entry.name);
            if let Ok(certificate) = proc.read_file(from.as_bytes()).await {
                bundle.push(&certificate);
                let link = format!("/etc/ssl/certs/{}.pem", stem.to_str_lossy());
                if proc.lstat(link.as_bytes()).is_err() && proc.symlink(from.as_bytes(), link.as_bytes()).is_ok() {
                    added += 1;
                }
            }
        }
    }
    if let Err(error) = proc.write_file(BUNDLE.as_bytes(), &bundle).await {
        proc.eprint(format!("update-ca-certificates: {BUNDLE}: {}\n", error.strerror())).await;
        return 1;
    }
    let text = format!("{added} added, 0 removed; done.\nRunning hooks in /etc/ca-certificates/update.d...\ndone.\n");
    i32::from(proc.print(text).await.is_err())
}
