//! What a browser says that it is, from its `User-Agent` (RFC 9110, section 10.1.5), for its owner to
//! tell it from others: family and system, no version.
//!
//! A coarse rule and no database: the header is anybody's to forge. It decides one thing: a remembered browser that says it
//! is another kind than it was is asked for the second factor (D-18). What the rule
//! does not know is shown by its first product.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use countersign_device::Label;

/// The first that is found names the family: others claim to be those below them.
const FAMILIES: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("AppleWebKit/", "a browser"),
];

/// The same for systems.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// The label of the browser that sent these headers. Empty where it says nothing.
pub(super) fn label(headers: &HeaderMap) -> Label {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&FAMILIES), named(&SYSTEMS)) {
        (Some(family), Some(system)) => Label::clean(&format!("{family} on {system}")),
        (Some(family), None) => Label::clean(family),
        (None, _) => {
            let product = agent.split(['/', ' ', '(']).next().unwrap_or_default();
            Label::clean(product)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(agent: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_str(agent).unwrap());
        label(&headers).to_string()
    }

    #[test]
    fn browsers_are_told_by_family_and_system() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, label) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
                "Firefox on Linux",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/140.0.0.0 Safari/537.36"
                ),
                "Chrome on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0) {webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0"
                ),
                "Edge on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/18.0 Safari/605.1"
                ),
                "Safari on macOS",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {webkit} CriOS/140.0 Mobile Safari"
                ),
                "Chrome on iPhone",
            ),
            (
                format!(
                    "Mozilla/5.0 (Linux; Android 15; Pixel 9) {webkit} Chrome/140.0.0.0 Mobile Safari/537.36"
                ),
                "Chrome on Android",
            ),
            ("curl/8.14.1".to_owned(), "curl"),
            ("MyApp (build 7)".to_owned(), "MyApp"),
            (String::new(), ""),
        ] {
            assert_eq!(of(&agent), label, "{agent}");
        }
    }

    #[test]
    fn nothing_said_is_nothing_shown_and_nothing_said_is_trusted() {
        assert_eq!(label(&HeaderMap::new()), Label::default());
        assert!(of(&"x".repeat(9_000)).len() <= Label::MAX);
        assert_eq!(of("<script>alert(1)</script>"), "<script>alert");
    }
}
