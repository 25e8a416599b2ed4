//! `getent`: entries of the system's databases.

use super::text_of;
use crate::os::kernel::Proc;

/// `getent`.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(ToString::to_string).collect();
    let Some((database, keys)) = args.split_first() else {
        proc.eprint(
            "getent: wrong number of arguments\nTry `getent --help' or `getent --usage' for more information.\n",
        )
        .await;
        return 1;
    };
    if !matches!(database.as_str(), "passwd" | "group" | "shadow" | "hosts" | "services") {
        proc.eprint(format!(
            "Unknown database: {database}\nTry `getent --help' or `getent --usage' for more information.\n"
        ))
        .await;
        return 1;
    }
    let text = text_of(&proc, &format!("/etc/{database}")).await;
    let (mut out, mut status) = (String::new(), 0);
    if keys.is_empty() {
        out = text.clone();
    }
    for key in keys {
        let hit = |line: &&str| {
            let mut fields = line.split(':');
            fields.next() == Some(key) || (database != "shadow" && fields.nth(1) == Some(key))
        };
        if database == "hosts" {
            // The name service is asked as any program asks it: the file first, then the network.
            match proc.resolve(key).await.ok().and_then(|all| all.first().copied()) {
                Some(address) => out.push_str(&format!("{:<15} {key}\n", address.to_string())),
                None => status = 2,
            }
            continue;
        }
        match text.lines().find(hit) {
            Some(line) => {
                out.push_str(line);
                out.push('\n');
            }
            None => status = 2,
        }
    }
    let _ = proc.print(out).await;
    status
}
