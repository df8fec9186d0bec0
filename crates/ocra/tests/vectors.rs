//! RFC 6287, appendix C: every vector. The keys are "12345678901234567890" repeated to 20, 32 and 64
//! bytes, the PIN is 1234, the time is 2008-03-25T12:06:30Z (0x132d0b6 minutes).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use countersign_ocra::{Ahead, Input, InputError, Mutual, Ocra, Pin, Question, Response, Suite};
use countersign_otp::{Secret, UnixTime};

const TIME: UnixTime = UnixTime::from_secs(1_206_446_790);

fn ocra(suite: &str) -> Ocra {
    let suite: Suite = suite.parse().unwrap();
    let len = suite.algorithm().secret_len();
    let key: Vec<u8> = b"1234567890".iter().copied().cycle().take(len).collect();
    Ocra::new(suite, Secret::from_bytes(&key).unwrap())
}

/// Computes, verifies, and sees that nothing near passes.
fn check(ocra: &Ocra, question: &Question, counter: Option<u64>, expected: &str) {
    let suite = ocra.suite();
    let pin = Pin::new(suite, "1234");
    let wrong = Pin::new(suite, "1235");
    let mut input = Input::new(question);
    input.counter = counter;
    input.pin = pin.as_ref();
    input.time = suite.step().map(|_| TIME);

    let response = ocra.response(&input).unwrap();
    assert_eq!(response.as_str(), Some(expected), "{suite}");
    assert_eq!(ocra.verify(&input, &Response::parse(expected).unwrap()), Ok(true));

    let mut other = expected.as_bytes().to_vec();
    other[0] ^= 1;
    let other = Response::parse(std::str::from_utf8(&other).unwrap()).unwrap();
    assert_eq!(ocra.verify(&input, &other), Ok(false));
    let shorter = Response::parse(&expected[1..]).unwrap();
    assert_eq!(ocra.verify(&input, &shorter), Ok(false));
    if wrong.is_some() {
        let input = Input { pin: wrong.as_ref(), ..input };
        assert_eq!(ocra.verify(&input, &response), Ok(false));
    }
    if let Some(counter) = counter {
        assert_eq!(ocra.verify(&input.counter(counter + 1), &response), Ok(false));
    }
    if suite.step().is_some() {
        // The step is from 12:06:00 to 12:06:59.
        assert_eq!(ocra.verify(&input.at(TIME.saturating_add(29)), &response), Ok(true));
        assert_eq!(ocra.verify(&input.at(TIME.saturating_add(30)), &response), Ok(false));
        assert_eq!(ocra.verify(&input.at(TIME.saturating_sub(31)), &response), Ok(false));
    }
}

/// Questions of eight equal digits, from 0, with the counter beside them if there is one.
fn one_way(suite: &str, responses: &[&str]) {
    let ocra = ocra(suite);
    for (n, expected) in (0_u64..).zip(responses) {
        let question = ocra.suite().question(&n.to_string().repeat(8)).unwrap();
        check(&ocra, &question, ocra.suite().has_counter().then_some(n), expected);
    }
}

#[test]
fn c_1_one_way() {
    one_way(
        "OCRA-1:HOTP-SHA1-6:QN08",
        &[
            "237653", "243178", "653583", "740991", "608993", "388898", "816933", "224598",
            "750600", "294470",
        ],
    );
    one_way(
        "OCRA-1:HOTP-SHA256-8:QN08-PSHA1",
        &["83238735", "01501458", "17957585", "86776967", "86807031"],
    );
    one_way(
        "OCRA-1:HOTP-SHA512-8:C-QN08",
        &[
            "07016083", "63947962", "70123924", "25341727", "33203315", "34205738", "44343969",
            "51946085", "20403879", "31409299",
        ],
    );
    one_way(
        "OCRA-1:HOTP-SHA512-8:QN08-T1M",
        &["95209754", "55907591", "22048402", "24218844", "36209546"],
    );
}

#[test]
fn c_1_one_way_with_a_counter_and_a_pin() {
    let ocra = ocra("OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1");
    let question = ocra.suite().question("12345678").unwrap();
    let responses = [
        "65347737", "86775851", "78192410", "71565254", "10104329", "65983500", "70069104",
        "91771096", "75011558", "08522129",
    ];
    for (counter, expected) in (0..).zip(responses) {
        check(&ocra, &question, Some(counter), expected);
    }
}

/// (client's question, server's question, server's response, client's response)
type Exchange = (&'static str, &'static str, &'static str, &'static str);

fn mutual(server: &str, client: &str, exchanges: &[Exchange]) {
    let (server, client) = (ocra(server), ocra(client));
    for (ours, theirs, servers, clients) in exchanges {
        let mutual = Mutual::new(ours, theirs);
        check(&server, &mutual.for_server(server.suite()).unwrap(), None, servers);
        check(&client, &mutual.for_client(client.suite()).unwrap(), None, clients);
        // A response sent back is not the other side's.
        let pin = Pin::new(client.suite(), "1234");
        let question = mutual.for_client(client.suite()).unwrap();
        let input = Input { pin: pin.as_ref(), ..Input::new(&question) };
        assert_eq!(client.verify(&input, &Response::parse(servers).unwrap()), Ok(false));
    }
}

#[test]
fn c_2_mutual() {
    mutual(
        "OCRA-1:HOTP-SHA256-8:QA08",
        "OCRA-1:HOTP-SHA256-8:QA08",
        &[
            ("CLI22220", "SRV11110", "28247970", "15510767"),
            ("CLI22221", "SRV11111", "01984843", "90175646"),
            ("CLI22222", "SRV11112", "65387857", "33777207"),
            ("CLI22223", "SRV11113", "03351211", "95285278"),
            ("CLI22224", "SRV11114", "83412541", "28934924"),
        ],
    );
    mutual(
        "OCRA-1:HOTP-SHA512-8:QA08",
        "OCRA-1:HOTP-SHA512-8:QA08-PSHA1",
        &[
            ("CLI22220", "SRV11110", "79496648", "18806276"),
            ("CLI22221", "SRV11111", "76831980", "70020315"),
            ("CLI22222", "SRV11112", "12250499", "01600026"),
            ("CLI22223", "SRV11113", "90856481", "18951020"),
            ("CLI22224", "SRV11114", "12761449", "32528969"),
        ],
    );
}

#[test]
fn c_3_signature() {
    let plain = ocra("OCRA-1:HOTP-SHA256-8:QA08");
    for (question, expected) in [
        ("SIG10000", "53095496"),
        ("SIG11000", "04110475"),
        ("SIG12000", "31331128"),
        ("SIG13000", "76028668"),
        ("SIG14000", "46554205"),
    ] {
        check(&plain, &plain.suite().question(question).unwrap(), None, expected);
    }
    let timed = ocra("OCRA-1:HOTP-SHA512-8:QA10-T1M");
    for (question, expected) in [
        ("SIG1000000", "77537423"),
        ("SIG1100000", "31970405"),
        ("SIG1200000", "10235557"),
        ("SIG1300000", "95213541"),
        ("SIG1400000", "65360607"),
    ] {
        check(&timed, &timed.suite().question(question).unwrap(), None, expected);
    }
}

#[test]
fn a_counter_is_looked_for_ahead_and_never_behind() {
    let ocra = ocra("OCRA-1:HOTP-SHA512-8:C-QN08");
    let question = ocra.suite().question("55555555").unwrap();
    let input = Input::new(&question);
    let response = ocra.response(&input.counter(5)).unwrap();
    let find = |next, ahead| {
        ocra.find_counter(&input, &response, next, Ahead::new(ahead).unwrap()).unwrap()
    };
    assert_eq!(find(5, 0), Some(6));
    assert_eq!(find(0, 5), Some(6));
    assert_eq!(find(0, 100), Some(6));
    assert_eq!(find(0, 4), None);
    assert_eq!(find(6, 100), None);
    let last = ocra.response(&input.counter(u64::MAX)).unwrap();
    assert_eq!(ocra.find_counter(&input, &last, u64::MAX - 1, Ahead::new(5).unwrap()), Ok(None));
    assert!(Ahead::new(101).is_err());
}

#[test]
fn a_step_is_looked_for_on_either_side() {
    let ocra = ocra("OCRA-1:HOTP-SHA512-8:QN08-T1M");
    let question = ocra.suite().question("00000000").unwrap();
    let input = Input::new(&question);
    let response = Response::parse("95209754").unwrap();
    let find =
        |radius, now| ocra.find_step(&input, &response, Ahead::new(radius).unwrap(), now).unwrap();
    let step = 0x0132_d0b6;
    assert_eq!(find(0, TIME), Some(step));
    assert_eq!(find(1, TIME.saturating_add(60)), Some(step));
    assert_eq!(find(1, TIME.saturating_sub(60)), Some(step));
    assert_eq!(find(1, TIME.saturating_add(120)), None);
    assert_eq!(find(0, TIME.saturating_sub(60)), None);
    for now in [0, 1, u64::MAX] {
        assert_eq!(find(100, UnixTime::from_secs(now)), None);
    }
    let untimed = self::ocra("OCRA-1:HOTP-SHA512-8:QN08");
    let refused = untimed.find_step(&input, &response, Ahead::NONE, TIME);
    assert_eq!(refused, Err(InputError::Superfluous("time")));
}

#[test]
fn a_whole_hmac_is_a_response() {
    for (suite, len) in [
        ("OCRA-1:HOTP-SHA1-0:QN08", 20),
        ("OCRA-1:HOTP-SHA256-0:QN08", 32),
        ("OCRA-1:HOTP-SHA512-0:QN08", 64),
    ] {
        let ocra = ocra(suite);
        let question = ocra.suite().question("00000000").unwrap();
        let input = Input::new(&question);
        let response = ocra.response(&input).unwrap();
        assert_eq!((response.as_bytes().len(), response.as_str()), (len, None));
        let mut sent = response.as_bytes().to_vec();
        assert_eq!(ocra.verify(&input, &Response::from_bytes(&sent).unwrap()), Ok(true));
        sent[len - 1] ^= 1;
        assert_eq!(ocra.verify(&input, &Response::from_bytes(&sent).unwrap()), Ok(false));
        assert_eq!(ocra.verify(&input, &Response::parse("00000000").unwrap()), Ok(false));
    }
}

#[test]
fn nothing_secret_is_printed() {
    let printed = format!("{:?}", ocra("OCRA-1:HOTP-SHA1-6:QN08"));
    assert!(!printed.contains("49") && !printed.contains("1234"), "{printed}");
}
