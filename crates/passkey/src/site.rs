//! For whom passkeys are made: a domain, and the origins whose pages may ask for them.
//!
//! Refuses what no browser would take (WebAuthn Level 3, section 5.1.3, step 7): an address in place
//! of a domain, an origin outside the domain, and one without TLS that is not this machine.

use std::fmt;

use url::{Host, Url};

/// A relying party: its domain, its name, its origins.
#[derive(Clone, Debug)]
pub struct Site {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) origins: Vec<Url>,
}

/// Why there can be no passkeys for a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SiteError {
    /// The id is no domain name.
    Id,
    /// There is no origin.
    NoOrigin,
    /// This origin is none, is not under the domain, or has no TLS.
    Origin(String),
}

impl Site {
    /// A site of this domain (`rp.id`) and name (`rp.name`), whose pages are at these origins.
    ///
    /// # Errors
    /// [`SiteError`].
    pub fn new(id: &str, name: &str, origins: &[String]) -> Result<Self, SiteError> {
        // As the URL standard reads it: lower case, punycode, and never an address.
        let read = Url::parse(&format!("https://{id}/")).map_err(|_| SiteError::Id)?;
        let domain = match read.host() {
            Some(Host::Domain(domain)) if domain == id => domain.to_owned(),
            _ => return Err(SiteError::Id),
        };
        if origins.is_empty() {
            return Err(SiteError::NoOrigin);
        }
        let origins = origins.iter().map(|origin| {
            let url = Url::parse(origin).ok().filter(|url| is_under(url, &domain));
            url.ok_or_else(|| SiteError::Origin(origin.clone()))
        });
        Ok(Self { origins: origins.collect::<Result<_, _>>()?, name: name.to_owned(), id: domain })
    }
}

fn is_under(origin: &Url, id: &str) -> bool {
    let Some(Host::Domain(host)) = origin.host() else { return false };
    let secure = match origin.scheme() {
        "https" => true,
        "http" => host == "localhost" || host.ends_with(".localhost"),
        _ => false,
    };
    let under = host == id || host.strip_suffix(id).is_some_and(|rest| rest.ends_with('.'));
    let bare = origin.path() == "/" && origin.query().is_none() && origin.fragment().is_none();
    secure && under && bare && origin.username().is_empty() && origin.password().is_none()
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("passkeys belong to a domain name, in lower case"),
            Self::NoOrigin => f.write_str("no origin may ask for passkeys"),
            Self::Origin(origin) => write!(
                f,
                "{origin} may not ask for passkeys: it is no https origin of the domain or under it"
            ),
        }
    }
}

impl std::error::Error for SiteError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(id: &str, origins: &[&str]) -> Result<Site, SiteError> {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Site::new(id, "Example", &origins)
    }

    #[test]
    fn a_domain_and_the_origins_under_it() {
        for (id, origin) in [
            ("example.com", "https://example.com"),
            ("example.com", "https://login.example.com:8443"),
            ("localhost", "http://localhost:8080"),
        ] {
            assert!(site(id, &[origin]).is_ok(), "{id} {origin}");
        }
    }

    #[test]
    fn what_no_browser_takes_is_refused() {
        for id in ["", "127.0.0.1", "[::1]", "Example.com", "example.com/x", "a b", "example.com:1"]
        {
            assert_eq!(site(id, &["https://example.com"]).unwrap_err(), SiteError::Id, "{id}");
        }
        assert_eq!(site("example.com", &[]).unwrap_err(), SiteError::NoOrigin);
        for origin in [
            "http://example.com",
            "https://example.org",
            "https://badexample.com",
            "https://com",
            "https://example.com/login",
            "https://user@example.com",
            "http://127.0.0.1:8080",
            "nonsense",
        ] {
            let error = site("example.com", &["https://example.com", origin]).unwrap_err();
            assert_eq!(error, SiteError::Origin(origin.to_owned()));
        }
    }
}
