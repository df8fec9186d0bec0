//! Any text is refused or read as a suite that keeps it, and any question of it is answered.
#![no_main]

use std::sync::LazyLock;

use countersign_ocra::{Input, Mutual, Ocra, Pin, Response, Suite};
use countersign_otp::{Secret, UnixTime};
use libfuzzer_sys::fuzz_target;

static SECRET: LazyLock<Secret> =
    LazyLock::new(|| Secret::from_bytes(b"12345678901234567890").expect("20 bytes"));

fuzz_target!(|text: &str| {
    let (suite, question) = text.split_once('\n').unwrap_or((text, "12345678"));
    let Ok(suite) = suite.parse::<Suite>() else { return };
    assert_eq!(text.strip_prefix(suite.as_str()).map(str::is_empty), Some(!text.contains('\n')));

    let (first, second) = question.split_once('\n').unwrap_or((question, question));
    let mutual = Mutual::new(first, second);
    assert_eq!(mutual.for_server(&suite).is_ok(), mutual.for_client(&suite).is_ok());
    let Ok(question) = suite.question(first) else { return };

    let pin = Pin::new(&suite, second);
    let input = Input {
        question: &question,
        counter: suite.has_counter().then_some(u64::MAX),
        pin: pin.as_ref(),
        session: suite.session().map(|_| &b"s"[..]),
        time: suite.step().map(|_| UnixTime::from_secs(u64::MAX)),
    };
    let ocra = Ocra::new(suite, SECRET.clone());
    let response = ocra.response(&input).expect("every part is there");
    let typed = match response.as_str() {
        Some(digits) => Response::parse(digits),
        None => Response::from_bytes(response.as_bytes()),
    };
    let typed = typed.expect("a response is one");
    assert_eq!(ocra.verify(&input, &typed), Ok(true));
});
