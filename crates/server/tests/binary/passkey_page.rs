//! The page in a real Chromium with a virtual authenticator: a passkey is made, and used; one that was copied is not.

use serde_json::json;

use super::support::chromium::Chromium;
use super::support::server::Server;

#[test]
fn a_passkey_is_made_and_used_on_the_page() {
    for transport in ["internal", "usb"] {
        let test = "a_passkey_is_made_and_used_on_the_page";
        let Some(chromium) = Chromium::start(test) else { return };
        let server = Server::demo();
        let key = chromium.plug(transport);
        log_in(&chromium, &server);
        offer(&chromium);
        chromium.picture(&format!("make-passkey-{transport}"));
        chromium.click("[data-view='make-passkey'] [type='submit']");
        chromium.sees("saved");
        assert_eq!(chromium.text("#recovery").len(), 19, "16 characters in four groups");
        chromium.click("[name='kept']");
        chromium.click("[data-view='saved'] [type='submit']");
        chromium.sees("done");
        assert_eq!(chromium.text("#proof"), "Password and passkey");
        let held = chromium.credentials(&key);
        assert_eq!((held.len(), &held[0]["rpId"]), (1, &json!("localhost")));

        chromium.click("[data-view='done'] [type='submit']");
        chromium.sees("login");
        log_in(&chromium, &server);
        chromium.sees("passkey");
        chromium.picture(&format!("passkey-{transport}"));
        chromium.click("[data-view='passkey'] [type='submit']");
        chromium.sees("done");
        assert_eq!(chromium.text("#proof"), "Password and passkey");
        assert_eq!(chromium.errors(), [] as [serde_json::Value; 0]);
    }
}

/// The same key in another authenticator, which has counted less.
#[test]
fn a_copied_passkey_is_refused_on_the_page() {
    let Some(chromium) = Chromium::start("a_copied_passkey_is_refused_on_the_page") else { return };
    let server = Server::demo();
    let key = chromium.plug("internal");
    log_in(&chromium, &server);
    offer(&chromium);
    chromium.click("[data-view='make-passkey'] [type='submit']");
    chromium.sees("saved");
    let mut copy = chromium.credentials(&key)[0].clone();
    for count in [100, 1] {
        chromium.open(&format!("http://localhost:{}/", server.address().port()));
        copy["signCount"] = json!(count);
        chromium.replace(&key, copy.clone());
        log_in(&chromium, &server);
        chromium.sees("passkey");
        chromium.click("[data-view='passkey'] [type='submit']");
        if count == 100 {
            chromium.sees("done");
        }
    }
    assert_eq!(chromium.told("[data-view='passkey'] .alert"), "Invalid code.");
    chromium.picture("copied");
    chromium.sees("passkey");
}

/// From the app, which is offered first, to the passkey.
fn offer(chromium: &Chromium) {
    chromium.sees("enrol");
    chromium.click("[data-view='enrol'] [data-go='make-passkey']");
    chromium.sees("make-passkey");
}

fn log_in(chromium: &Chromium, server: &Server) {
    chromium.open(&format!("http://localhost:{}/", server.address().port()));
    chromium.sees("login");
    chromium.write("#email", &server.email);
    chromium.write("#password", &server.password);
    chromium.click("[data-view='login'] [type='submit']");
}
