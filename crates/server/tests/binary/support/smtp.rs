//! A small SMTP server (RFC 5321) on a thread: it takes every mail and keeps the conversation.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::clock::wait_for;
use super::mail::Mail;

/// One mail as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// What stood between the angle brackets of MAIL FROM.
    pub(crate) sender: String,
    /// The same of each RCPT TO.
    pub(crate) recipients: Vec<String>,
    pub(crate) mail: Mail,
}

/// Listens on a free port of this machine until the process ends.
#[derive(Clone, Debug)]
pub(crate) struct Smtp {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Smtp {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let smtp =
            Self { address: listener.local_addr().unwrap(), received: Arc::new(Mutex::default()) };
        let received = Arc::clone(&smtp.received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let received = Arc::clone(&received);
                // A client that hangs up in the middle has sent no mail: the error is the end of its conversation.
                std::thread::spawn(move || converse(&stream, &received).ok());
            }
        });
        smtp
    }

    /// Waits for the mail after the first `known`.
    #[track_caller]
    pub(crate) fn wait_beyond(&self, known: usize) -> Received {
        let mail = wait_for(Duration::from_secs(20), || self.all().get(known).cloned());
        mail.expect("a mail over SMTP")
    }

    /// Waits for a mail with a code after the first `known`; the mail.
    #[track_caller]
    pub(crate) fn wait_for_code(&self, known: usize) -> Received {
        let mail = wait_for(Duration::from_secs(20), || {
            self.all().into_iter().skip(known).find(|received| received.mail.code().is_some())
        });
        mail.expect("a mail with a code over SMTP")
    }

    /// All mails so far.
    pub(crate) fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn converse(stream: &TcpStream, received: &Mutex<Vec<Received>>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut lines = BufReader::new(stream);
    let mut say = stream;
    let (mut sender, mut recipients) = (String::new(), Vec::new());
    say.write_all(b"220 mail.test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.trim_end().to_ascii_uppercase();
        let reply: &[u8] = if verb.starts_with("EHLO") {
            b"250-mail.test\r\n250 8BITMIME\r\n"
        } else if verb.starts_with("MAIL FROM:") {
            sender = in_brackets(&line);
            recipients.clear();
            b"250 2.1.0 ok\r\n"
        } else if verb.starts_with("RCPT TO:") {
            recipients.push(in_brackets(&line));
            b"250 2.1.5 ok\r\n"
        } else if verb == "DATA" {
            say.write_all(b"354 go on\r\n")?;
            let mail = Mail::parse(&read_data(&mut lines)?);
            let recipients = std::mem::take(&mut recipients);
            received.lock().unwrap().push(Received { sender: sender.clone(), recipients, mail });
            b"250 2.0.0 kept\r\n"
        } else if verb == "QUIT" {
            return say.write_all(b"221 bye\r\n");
        } else if verb == "NOOP" || verb == "RSET" || verb.starts_with("HELO") {
            b"250 ok\r\n"
        } else {
            b"502 not here\r\n"
        };
        say.write_all(reply)?;
    }
}

/// The lines up to the lone dot, with dot-stuffing undone (RFC 5321, section 4.5.2).
fn read_data(lines: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 || line == b".\r\n" {
            return Ok(data);
        }
        data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn in_brackets(line: &str) -> String {
    let inner = line.split_once('<').and_then(|rest| rest.1.split_once('>'));
    inner.map(|parts| parts.0.to_owned()).unwrap_or_default()
}
