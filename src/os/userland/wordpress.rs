//! WordPress's `index.php` as far as it goes without PHP: whether there is a configuration, whether its database lets it
//! in, and where it sends a browser then (`wp-load.php`, `wp-includes/class-wpdb.php`, `functions.php wp_not_installed`).

use bstr::ByteSlice;

use super::mysql::Connection;
use crate::os::kernel::Proc;

/// A page of WordPress's installer and of its errors.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n<title>WordPress &rsaquo; {title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
}

/// The CGI answer to a request.
pub async fn main(proc: Proc) -> i32 {
    let variable = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    let uri = variable("REQUEST_URI").unwrap_or_default();
    let place = uri.split('?').next().unwrap_or_default().to_owned();
    let answer = match configured(&proc).await {
        Err(answer) => answer,
        Ok(()) if place.ends_with("/install.php") => {
            let why = "<h1>WordPress</h1>\n<p>The database is there and lets WordPress in. The installer itself is PHP, which is not simulated in Capas.</p>";
            format!("Status: 200 OK\n\n{}", page("Installation", why))
        }
        Ok(()) => {
            let host = "/wp-admin/install.php";
            format!("Status: 302 Found\nX-Redirect-By: WordPress\nLocation: {host}\n\n")
        }
    };
    i32::from(proc.print(answer).await.is_err())
}

/// Whether it has a configuration and its database; the error is the page that tells what is missing.
async fn configured(proc: &Proc) -> Result<(), String> {
    let variable = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    if proc.stat(b"/var/www/html/wp-config.php").is_err() {
        return Err("Status: 302 Found\nLocation: /wp-admin/setup-config.php\n\n".to_owned());
    }
    let host = variable("WORDPRESS_DB_HOST").unwrap_or_else(|| "mysql".to_owned());
    let host = host.split(':').next().unwrap_or_default().to_owned();
    let user = variable("WORDPRESS_DB_USER").unwrap_or_else(|| "example username".to_owned());
    let password = variable("WORDPRESS_DB_PASSWORD").unwrap_or_else(|| "example password".to_owned());
    let database = variable("WORDPRESS_DB_NAME").unwrap_or_else(|| "wordpress".to_owned());
    match Connection::open(proc, Some(&host), &user, &password, &database).await {
        Ok(_) => Ok(()),
        Err(_) => {
            let body = page("Error", "<h1>Error establishing a database connection</h1>");
            Err(format!("Status: 500 Internal Server Error\n\n{body}"))
        }
    }
}
