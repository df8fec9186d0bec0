//! What the server takes: the size of the binary, how soon its first answer comes, and its memory before and
//! after so many verifications over HTTP. `--binary PATH` (`target/release/countersign`), `--people N` (2,000),
//! `--data DIR`: in a data directory that has people already, as `answer-path --growth .. --keep DIR` leaves them.
//! `--json` prints one object. Fails beyond 40 MB or 0.1 s.
#![allow(clippy::print_stdout, reason = "this is what it is for")]
#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_benches::answer::Outcome;
use countersign_benches::answer::servers::free_port;
use countersign_otp::{Secret, Totp, UnixTime};
use serde_json::{Value, json};

/// The most memory that it may hold after load, in bytes.
const MEMORY: u64 = 40_000_000;

/// How soon it must answer.
const FIRST_ANSWER: Duration = Duration::from_millis(100);

const ROUTES: &str = "/identity/resources";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after =
        |name: &str| arguments.iter().skip_while(|word| *word != name).nth(1).map(String::as_str);
    let binary = PathBuf::from(after("--binary").unwrap_or("target/release/countersign"));
    let people: u64 = after("--people").map_or(Ok(2000), str::parse)?;
    let size = fs::metadata(&binary)?.len();
    let dir = tempfile::tempdir()?;
    let config = dir.path().join("countersign.toml");
    let port = free_port()?;
    let data = after("--data").map_or_else(|| Ok(dir.path().join("data")), fs::canonicalize)?;
    fs::write(&config, configuration(&data, port))?;

    // Once to make the keys and the file, and then as it starts every day.
    drop(Server::start(&binary, &config, port)?.0);
    let (server, first_answer) = Server::start(&binary, &config, port)?;
    let idle = server.memory("VmRSS")?;
    let vendor = vendor_token(&binary, &config)?;
    let begun = Instant::now();
    let mut line = Connection::open(port)?;
    for n in 0..people {
        verify(&mut line, &vendor, n)?;
    }
    let took = begun.elapsed();
    let (loaded, peak) = (server.memory("VmRSS")?, server.memory("VmHWM")?);
    let told = json!({
        "binary_bytes": size, "first_answer_ms": first_answer.as_secs_f64() * 1e3,
        "idle_bytes": idle, "loaded_bytes": loaded, "peak_bytes": peak,
        "verifications": people, "seconds": took.as_secs_f64(),
    });
    if arguments.iter().any(|word| word == "--json") {
        println!("{told}");
    } else {
        let millions = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
        println!("binary            {}", millions(size));
        println!("first answer      {:.1} ms after its start", first_answer.as_secs_f64() * 1e3);
        println!("memory, idle      {}", millions(idle));
        println!(
            "memory, loaded    {} after {people} enrolments and verifications",
            millions(loaded)
        );
        println!("memory, at most   {}", millions(peak));
    }
    if loaded >= MEMORY || first_answer > FIRST_ANSWER {
        return Err("beyond 40 MB, or 0.1 s".into());
    }
    Ok(())
}

fn configuration(data: &Path, port: u16) -> String {
    let data = data.display();
    format!(
        r#"
        listen = "127.0.0.1:{port}"
        client_id = "b6adfe4c-d695-4c04-b95f-3ec9fd0c6cca"
        data = "{data}"
        outbox = "{data}/outbox"
        [[tenants]]
        id = "acme"
        "#
    )
}

/// The process under observation.
struct Server(Child);

impl Server {
    /// Starts it; how long until it answered a request.
    fn start(binary: &Path, config: &Path, port: u16) -> Outcome<(Self, Duration)> {
        let begun = Instant::now();
        let mut command = Command::new(binary);
        command.args(["serve", "--config"]).arg(config);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let server = Self(child);
        let mut ready = String::new();
        BufReader::new(output).read_line(&mut ready)?;
        Connection::open(port)?.call("GET", "/healthz", None, &Value::Null)?;
        Ok((server, begun.elapsed()))
    }

    /// A line of its `status`, in bytes.
    fn memory(&self, field: &str) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kib: u64 = line.ok_or("no such line")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn vendor_token(binary: &Path, config: &Path) -> Outcome<String> {
    let output = Command::new(binary).args(["vendor-token", "--config"]).arg(config).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Somebody new enrols, logs in again and answers with the code of the next step.
fn verify(line: &mut Connection, vendor: &str, n: u64) -> Outcome<()> {
    let run = std::process::id();
    let login = |line: &mut Connection| {
        let who = json!({
            "tenantId": "acme", "userId": format!("user-{run}-{n}"),
            "email": format!("user-{run}-{n}@example.com"), "firstFactor": "password",
        });
        let path = format!("{ROUTES}/vendor-only/mfa/v1/logins");
        line.call("POST", &path, Some(vendor), &who)
    };
    let text = |answer: &Value, field: &str| -> Outcome<String> {
        let text = answer.get(field).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| format!("no {field} in {answer}").into())
    };
    let first = login(line)?;
    let path = format!("{ROUTES}/auth/v1/user/mfa/authenticator/enroll");
    let offer = line.call("POST", &path, None, &json!({"mfaToken": text(&first, "mfaToken")?}))?;
    let secret = Secret::from_base32(&text(&offer, "secret")?)?;
    let code = |step: i8| -> Outcome<String> {
        let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let totp = Totp::DEFAULT;
        let step = totp.step_at(now).checked_offset(step).ok_or("no such step")?;
        Ok(totp.code(&totp.key(&secret), step).as_str().to_owned())
    };
    let body = json!({"mfaToken": text(&first, "mfaToken")?, "token": code(0)?});
    line.call(
        "POST",
        &format!("{ROUTES}/auth/v1/user/mfa/authenticator/enroll/verify"),
        None,
        &body,
    )?;
    let second = login(line)?;
    let body = json!({"mfaToken": text(&second, "mfaToken")?, "value": code(1)?});
    line.call("POST", &format!("{ROUTES}/auth/v1/user/mfa/verify"), None, &body)?;
    Ok(())
}

/// A connection that is kept: just enough of HTTP/1.1 for answers that say their length.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn call(
        &mut self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: &Value,
    ) -> Outcome<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bearer =
            bearer.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{bearer}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (String::new(), 0);
        self.0.read_line(&mut status)?;
        loop {
            let mut head = String::new();
            self.0.read_line(&mut head)?;
            if head.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = head.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        if !status.starts_with("HTTP/1.1 2") {
            return Err(format!("{path}: {status}{}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }
}
