//! Runs one operation on memory that valgrind was told is secret: it then reports every branch and
//! every address that depends on it. `tests/constant_time.rs` runs this and judges the report.
//!
//! A secret is marked as undefined memory, by the client request of valgrind's memcheck: a sequence of
//! instructions that does nothing on a processor.
#![allow(unsafe_code, reason = "the client request is a sequence of instructions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a harness that cannot go on fails")]

use core::hint::black_box;

use countersign_codes::{
    delivered::{self, LetterCode},
    steam::{Steam, SteamCode},
};
use countersign_otp::{
    Algorithm, Code, CodeLength, Digits, Drift, Hotp, LookAhead, Period, Radius, Secret, Step,
    Totp, UnixTime, Window,
};

/// Tells memcheck that these bytes are undefined.
fn mark(bytes: &[u8]) {
    const MAKE_MEM_UNDEFINED: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16 | 1;
    let request = [MAKE_MEM_UNDEFINED, bytes.as_ptr().expose_provenance(), bytes.len(), 0, 0, 0];
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the rotations of rdi add up to 128, and rbx is exchanged with itself; under valgrind
    // the request is read, and the answer is put into rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") request.as_ptr(), inout("rdx") 0_usize => _,
        );
    }
    black_box(request);
}

fn secret(len: usize) -> Secret {
    let secret = Secret::from_bytes(&vec![0x5a; len]).unwrap();
    mark(secret.expose());
    secret
}

fn code(text: &str) -> Code {
    let code = Code::parse(text).unwrap();
    mark(code.as_str().as_bytes());
    code
}

fn random(buf: &mut [u8]) -> Result<(), ()> {
    buf.fill(0xa7);
    mark(buf);
    Ok(())
}

fn main() {
    let now = UnixTime::from_secs(1_700_000_000);
    let each = || {
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].into_iter().flat_map(|algorithm| {
            [20, 64, 65, 128, 129, 200].map(|len| {
                let totp = Totp::new(algorithm, Digits::Eight, Period::THIRTY);
                (totp, totp.key(&secret(len)))
            })
        })
    };
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "generate" => each().for_each(|(totp, key)| {
            black_box(totp.code(&key, Step::new(1)));
            black_box(Hotp::new(Digits::Six).code(&key, 7));
        }),
        "find" => each().for_each(|(totp, key)| {
            let typed = code("12345678");
            let _ = black_box(totp.find(&key, &typed, Window::DEFAULT, Drift::NONE, None, now));
            let raw = secret(20);
            let spent = Some(totp.step_at(now));
            let _ = black_box(totp.find_raw(&raw, &typed, Window::NONE, Drift::NONE, spent, now));
        }),
        "resynchronise" => each().for_each(|(totp, key)| {
            let (a, b) = (code("12345678"), code("87654321"));
            let _ = black_box(totp.resynchronise(&key, &a, &b, Radius::MAX, None, now));
        }),
        "hotp" => each().for_each(|(totp, key)| {
            let hotp = Hotp::new(totp.digits());
            let _ = black_box(hotp.find(&key, &code("12345678"), 5, LookAhead::MAX));
        }),
        "steam" => {
            let key = Steam.key(&secret(20));
            black_box(Steam.code(&key, Step::new(3)));
            let typed = SteamCode::parse("VWXY2").unwrap();
            mark(typed.as_str().as_bytes());
            let _ = black_box(Steam.find(&key, &typed, Window::DEFAULT, Drift::NONE, None, now));
        }
        "compare" => {
            let same = code("123456") == code("123457");
            black_box(same);
        }
        "parse" => {
            let text = String::from("1234567890");
            mark(text.as_bytes());
            let _ = black_box(Code::parse(&text));
        }
        "base32" => {
            let encoded = secret(33).to_base32();
            black_box(&encoded);
            // The last six characters are looked at for padding; those before them are secret.
            for text in [
                "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBV",
                "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA====",
            ] {
                let text = String::from(text);
                mark(&text.as_bytes()[..34]);
                let _ = black_box(Secret::from_base32(&text));
            }
        }
        "delivered" => {
            let key = [9; 32];
            mark(&key);
            black_box(delivered::digest(&key, &[b"login"], &code("123456")));
        }
        "uniform" => {
            let _ = black_box(delivered::try_uniform(CodeLength::MAX, random));
            let _ = black_box(LetterCode::try_uniform(CodeLength::MAX, random));
        }
        // What must be reported, or nothing that this shows is worth anything.
        "branch" => {
            if secret(16).expose()[3] & 1 == 1 {
                black_box(1);
            }
        }
        "address" => {
            let table: Vec<u8> = (0..=255).collect();
            black_box(table[usize::from(secret(16).expose()[3])]);
        }
        other => panic!("no operation {other:?}"),
    }
}
