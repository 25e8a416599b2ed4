//! `true` and `false`.

use crate::os::kernel::Proc;

/// `true`.
pub async fn succeed(_: Proc) -> i32 {
    0
}

/// `false`.
pub async fn fail(_: Proc) -> i32 {
    1
}
