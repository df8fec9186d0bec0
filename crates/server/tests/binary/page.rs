//! The page at `/`: small, its own, and closed to everything else.

use ureq::http::Method;

use super::support::server::Server;

#[test]
fn page_runs_nothing_inline_and_loads_nothing_from_elsewhere() {
    let server = Server::demo();
    let page = server.browser().send(Method::GET, "/", Vec::new()).expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));

    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("<html lang="), "a screen reader is told the language");
    assert!(html.contains("name=\"viewport\""), "a phone shows it in its width");
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing from elsewhere");
    assert!(!html.contains("<style") && !html.contains("style=\"") && !html.contains("onclick="));
    for script in html.split("<script").skip(1) {
        assert!(script.split('>').next().unwrap().contains("src="), "a script of its own file");
    }

    let sources = html.split("src=\"").chain(html.split("href=\"")).filter_map(|rest| {
        let path = rest.split('"').next()?;
        path.starts_with('/').then(|| path.to_owned())
    });
    let mut files = 0;
    for path in sources {
        server.browser().send(Method::GET, &path, Vec::new()).expect(200);
        files += 1;
    }
    assert!(files >= 2, "a script and a style sheet");
}
