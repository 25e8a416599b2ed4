//! The small browser's own thinking: addresses, the way back, and why a page did not come.

use crate::base::sort::Arrange;
use crate::machine::browser::{NoPage, Request};
use crate::view::picture::{ContainerState, Picture};

/// Most places that the way back remembers.
const MAX_PLACES: usize = 50;

/// An address as it was typed, made whole.
pub fn address(typed: &str) -> String {
    let typed = typed.trim();
    if typed.bytes().all(|byte| byte.is_ascii_digit()) && !typed.is_empty() {
        return format!("http://localhost:{typed}/");
    }
    if typed.starts_with(':') {
        return format!("http://localhost{typed}");
    }
    if typed.contains("://") { typed.to_owned() } else { format!("http://{typed}") }
}

/// An address as it is shown.
pub fn shown(url: &str) -> &str {
    url.strip_prefix("http://").unwrap_or(url)
}

/// Where the browser has been.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Way {
    places: Vec<Request>,
    at: usize,
}

impl Way {
    /// Where it is.
    pub fn here(&self) -> Option<&Request> {
        self.places.get(self.at)
    }

    /// Goes on to a place; the way that led forward from here is forgotten.
    pub fn go(&mut self, request: Request) {
        if self.here() == Some(&request) {
            return;
        }
        self.places.truncate(self.at + 1);
        self.places.push(request);
        if self.places.len() > MAX_PLACES {
            self.places.remove(0);
        }
        self.at = self.places.len() - 1;
    }

    /// Whether there is a place `by` steps from here.
    pub fn can(&self, by: isize) -> bool {
        self.at.checked_add_signed(by).is_some_and(|at| at < self.places.len())
    }

    /// Takes `by` steps.
    pub fn step(&mut self, by: isize) {
        if let (true, Some(at)) = (self.can(by), self.at.checked_add_signed(by)) {
            self.at = at;
        }
    }
}

/// A published port and who answers there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Door {
    /// The port of the host.
    pub port: u16,
    /// The container.
    pub container: String,
    /// The port inside.
    pub inside: u16,
    /// Whether the container runs.
    pub is_open: bool,
}

/// The published TCP ports, open ones first.
pub fn doors(picture: &Picture) -> Vec<Door> {
    let mut doors: Vec<Door> = picture
        .containers()
        .into_iter()
        .flat_map(|boxed| {
            let fact = &boxed.fact;
            let is_open = fact.state == ContainerState::Running;
            fact.ports.iter().filter(|port| port.protocol == "tcp").map(move |port| Door {
                port: port.host,
                container: fact.name.clone(),
                inside: port.container,
                is_open,
            })
        })
        .collect();
    doors.arrange_by_key(|door| (!door.is_open, door.port));
    doors
}

/// What to say about a page that did not come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Nothing is published at this port: others are.
    NotPublished {
        /// The port.
        port: u16,
    },
    /// The container that has this port does not run.
    Stopped {
        /// The container.
        container: String,
    },
    /// The container runs, but nothing in it listens at its port.
    NotListening {
        /// The container.
        container: String,
        /// The port inside.
        inside: u16,
    },
    /// The name leads nowhere.
    UnknownHost {
        /// The name.
        host: String,
    },
    /// Only the machine's own servers can be visited, by HTTP.
    Outside,
    /// The address is none.
    BadAddress,
    /// The answer was none, or no HTTP.
    NoAnswer,
    /// It is led in circles.
    Circles,
}

/// Why, in this session.
pub fn reason(why: NoPage, url: &str, picture: &Picture) -> Reason {
    let authority = shown(url).split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    match why {
        NoPage::BadAddress => Reason::BadAddress,
        NoPage::Scheme => Reason::Outside,
        // A name of the world outside has a dot, and no container's has.
        NoPage::UnknownHost if host.contains('.') => Reason::Outside,
        NoPage::UnknownHost => Reason::UnknownHost { host: host.to_owned() },
        NoPage::Empty | NoPage::Broken => match door_at(picture, port) {
            Some(door) => Reason::NotListening { container: door.container, inside: door.inside },
            None => Reason::NoAnswer,
        },
        NoPage::TooManyRedirects => Reason::Circles,
        NoPage::Refused => match door_at(picture, port) {
            Some(door) if door.is_open => Reason::NotListening { container: door.container, inside: door.inside },
            Some(door) => Reason::Stopped { container: door.container },
            None => Reason::NotPublished { port: port.parse().unwrap_or(80) },
        },
    }
}

fn door_at(picture: &Picture, port: &str) -> Option<Door> {
    doors(picture).into_iter().find(|door| door.port.to_string() == port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_whole() {
        for (typed, whole) in [
            ("8080", "http://localhost:8080/"),
            (":8080/x", "http://localhost:8080/x"),
            (" localhost:9003 ", "http://localhost:9003"),
            ("https://example.com", "https://example.com"),
        ] {
            assert_eq!(address(typed), whole);
        }
        assert_eq!(shown("http://localhost:80/"), "localhost:80/");
    }

    #[test]
    fn the_way_back_forgets_what_was_ahead() {
        let to = |url: &str| Request { url: url.to_owned(), ..Request::default() };
        let mut way = Way::default();
        for url in ["a", "b", "b", "c"] {
            way.go(to(url));
        }
        way.step(-1);
        assert_eq!(way.here(), Some(&to("b")));
        assert!(way.can(1) && way.can(-1) && !way.can(-2));
        way.go(to("d"));
        assert!(!way.can(1));
        way.step(-5);
        assert_eq!(way.here(), Some(&to("d")));
    }

    #[test]
    fn outside_is_told_from_unknown() {
        let picture = Picture::default();
        assert_eq!(reason(NoPage::UnknownHost, "http://example.com/", &picture), Reason::Outside);
        assert_eq!(
            reason(NoPage::UnknownHost, "http://web:80/", &picture),
            Reason::UnknownHost { host: "web".to_owned() }
        );
        assert_eq!(reason(NoPage::Refused, "http://localhost:81/x", &picture), Reason::NotPublished { port: 81 });
    }
}
