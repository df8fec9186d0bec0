//! Cookies (RFC 6265bis): read by exact name, set with every attribute that keeps them ours.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::config::{Config, SameSite};

/// The two cookies of this server, and what is set with them.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// The identity of a browser.
    device: String,
    /// The refresh token.
    refresh: String,
    same_site: SameSite,
}

/// Which cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// `fe_device_` and the client id without dashes.
    Device,
    /// `fe_refresh_` and the client id without its first dash.
    Refresh,
}

impl Cookies {
    /// The cookies of a client id.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let id = &config.client_id;
        Self {
            device: format!("fe_device_{}", id.replace('-', "")),
            refresh: format!("fe_refresh_{}", id.replacen('-', "", 1)),
            same_site: config.same_site,
        }
    }

    fn name(&self, which: Which) -> &str {
        match which {
            Which::Device => &self.device,
            Which::Refresh => &self.refresh,
        }
    }

    /// The value of a cookie that came with a request. Names are compared whole, and of two with one name the first
    /// counts, which browsers send for the longer path.
    #[must_use]
    pub fn read<'a>(&self, which: Which, headers: &'a HeaderMap) -> Option<&'a str> {
        let name = self.name(which);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs =
            lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|pair| pair.0.trim() == name)?.1.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    /// The `Set-Cookie` line. `max_age` in seconds; 0 makes the browser forget it. None where the value is no cookie's.
    #[must_use]
    pub fn set(&self, which: Which, value: &str, max_age: u64, tls: bool) -> Option<HeaderValue> {
        let name = self.name(which);
        let same_site = match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        let secure = if tls { "; Secure" } else { "" };
        // RFC 6265, section 4.1.1: nothing that could end the value or the line.
        let plain =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
        if !value.bytes().all(plain) {
            return None;
        }
        let line = format!(
            "{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite={same_site}{secure}"
        );
        HeaderValue::try_from(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies() -> Cookies {
        let text = "data = 'd'\nclient_id = 'b6-c4-9f'\noutbox = 'o'\n[[tenants]]\nid = 'acme'\n";
        Cookies::new(&Config::parse("t", text, []).unwrap())
    }

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn names_lose_all_dashes_or_the_first_one() {
        let set = |which| cookies().set(which, "v", 9, false).unwrap().to_str().unwrap().to_owned();
        let line = "fe_device_b6c49f=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax";
        assert_eq!(set(Which::Device), line);
        assert!(set(Which::Refresh).starts_with("fe_refresh_b6c4-9f=v;"));
        let secure = cookies().set(Which::Device, "v", 9, true).unwrap();
        assert!(secure.to_str().unwrap().ends_with("; Secure"));
    }

    #[test]
    fn a_cookie_is_read_by_its_exact_name() {
        let read = |lines| cookies().read(Which::Device, &headers(lines)).map(str::to_owned);
        assert_eq!(read(&["a=1; fe_device_b6c49f=yes; b=2"]).as_deref(), Some("yes"));
        assert_eq!(read(&["a=1", "fe_device_b6c49f=a=b"]).as_deref(), Some("a=b"));
        assert_eq!(read(&["fe_device_b6c49f=one; fe_device_b6c49f=two"]).as_deref(), Some("one"));
        assert_eq!(read(&["xfe_device_b6c49f=1; fe_device_b6c49f2=2; fe_device_=3"]), None);
        assert_eq!(read(&["fe_device_b6c49f="]), None);
    }

    #[test]
    fn a_value_cannot_end_the_line() {
        for value in ["a;b", "a\r\nSet-Cookie: x=y", "a b", "\u{e9}"] {
            assert_eq!(cookies().set(Which::Device, value, 1, true), None, "{value:?}");
        }
    }
}
