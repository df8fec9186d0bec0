//! Passwords in the clear: on loopback, behind a named proxy, or where told so; from anywhere else no request is served.

use std::net::{IpAddr, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::support::browser::{Answer, Browser};
use super::support::clock::wait_for;
use super::support::config::Config;
use super::support::person::{AUTH, Person};
use super::support::server::{Server, countersign};
use super::support::tool::not_run;

#[test]
fn listener_beyond_loopback_does_not_come_up_untold() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = countersign();
    command.args(["demo", "--listen", "0.0.0.0:0", "--data"]).arg(directory.path());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let ended = wait_for(Duration::from_secs(20), || process.try_wait().unwrap());
    process.kill().ok();
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(ended.is_some_and(|status| !status.success()), "it must not come up: {said}");
    assert!(said.to_lowercase().contains("http"), "it says why: {said}");
}

#[test]
fn stranger_is_refused_and_loopback_is_served() {
    let Some(address) = own_address("stranger_is_refused_and_loopback_is_served") else { return };
    let server = Config::new().everywhere().line("trusted_proxies = [\"192.0.2.1\"]").serve();
    let refused = login(&server, &mut from(address, &server)).refused(403);
    assert!(refused.set_cookies().is_empty());
    // Who is no proxy of ours cannot claim TLS.
    let mut claims = from(address, &server).with_header("x-forwarded-proto", "https");
    login(&server, &mut claims).refused(403);
    login(&server, &mut server.browser()).expect(200);
}

#[test]
fn named_proxy_is_believed_that_it_ends_tls() {
    let Some(address) = own_address("named_proxy_is_believed_that_it_ends_tls") else { return };
    let server =
        Config::new().everywhere().line(&format!("trusted_proxies = [\"{address}\"]")).serve();
    let mut person = Person::with_password(
        from(address, &server).with_header("x-forwarded-proto", "https"),
        &server.email,
        &server.password,
    );
    let answer = person.enrol().answer;
    assert_eq!(answer.set_cookies().len(), 2);
    for cookie in answer.set_cookies() {
        assert!(cookie.contains("; Secure"), "{cookie}");
    }
    assert!(answer.header("strict-transport-security").is_some());
}

#[test]
fn stranger_is_served_where_told_so() {
    let Some(address) = own_address("stranger_is_served_where_told_so") else { return };
    let server = Config::new().everywhere().line("allow_plain_http = true").serve();
    login(&server, &mut from(address, &server)).expect(200);
}

fn login(server: &Server, browser: &mut Browser) -> Answer {
    browser.post(AUTH, &json!({"email": server.email, "password": server.password}))
}

/// A browser that comes from an address of this machine other than loopback.
fn from(address: IpAddr, server: &Server) -> Browser {
    Browser::new(&format!("http://{address}:{}", server.address().port()))
}

/// Such an address, if there is one: what this machine would be to the network. No packet is sent.
fn own_address(test: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let address = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    let address = address.ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback());
    if address.is_none() {
        not_run(test, "this machine has no address but loopback");
    }
    address
}
