//! The example of a service that asks for a second factor, driven beside the server.

use serde_json::json;

use super::support::person::Person;
use super::support::server::Server;

#[path = "../../examples/require_assurance.rs"]
#[expect(dead_code, reason = "its main is the example's alone")]
mod example;

/// The service on a free port; it ends with the test's process.
fn serve(jwks: &str, issuer: &str, client_id: &str) -> String {
    let app = example::app(jwks, issuer, client_id).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    url
}

#[test]
fn a_service_asks_for_a_step_up_and_takes_its_token() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let enrolled = person.enrol_remembered();
    let claims = enrolled.answer.claims();
    let (issuer, audience) = (claims["iss"].as_str().unwrap(), claims["aud"].as_str().unwrap());
    let jwks = format!("{}/.well-known/jwks.json", server.url.trim_end_matches('/'));
    let jwks = ureq::get(&jwks).call().unwrap().body_mut().read_to_string().unwrap();
    let service = serve(&jwks, issuer, audience);
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let transfer = |token: &str| {
        let request = agent.post(format!("{service}/transfers"));
        request.header("authorization", format!("Bearer {token}")).send_empty().unwrap()
    };

    assert_eq!(transfer("nonsense").status(), 401);
    assert_eq!(transfer(&enrolled.answer.text("accessToken")).status(), 200, "proved just now");

    let remembered = person.login().text("accessToken");
    let refused = transfer(&remembered);
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
    let balance = agent.get(format!("{service}/balance"));
    let balance = balance.header("authorization", format!("Bearer {remembered}")).call().unwrap();
    assert_eq!(balance.status(), 200, "what asks for less takes it");

    let mut own = person.browser.clone().with_bearer(&remembered);
    let asked = own.post("auth/v1/user/step-up/generate", &json!({"maxAge": 300})).expect(200);
    let body = json!({"mfaToken": asked.text("mfaToken"), "value": enrolled.app.peek()});
    let stepped = own.post("auth/v1/user/mfa/verify", &body).expect(201);
    assert_eq!(transfer(&stepped.text("accessToken")).status(), 200);
}
