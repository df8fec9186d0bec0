//! A key management service behind two commands.
//!
//! Every cloud has a program that encrypts standard input to standard output under a key that never
//! leaves the service, so this is the whole protocol. The ring goes through pipes, never through an
//! argument, the environment or a file; what the program says of itself on standard error goes to
//! ours. A program that is slow is ended when its time is up.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use countersign_vault::{KeyWrap, WrapError, Zeroizing};

use crate::config::Kms;

/// No wrapped ring is longer; a program that writes more is not one of keys.
const LONGEST: usize = 64 * 1024;
/// How often it is asked whether it has ended, once it has said everything.
const POLL: Duration = Duration::from_millis(10);

impl KeyWrap for Kms {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, WrapError> {
        run(&self.wrap, secret, self.timeout).map(|wrapped| wrapped.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        run(&self.unwrap, wrapped, self.timeout)
    }
}

/// Runs a command over this input; what it wrote, if it ended with 0 in time.
fn run(
    command: &[String],
    input: &[u8],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, WrapError> {
    let (program, arguments) = command.split_first().ok_or_else(|| refused("", "no program"))?;
    let mut asked = Command::new(program);
    // What it needs, it has from its own configuration; ours, passwords among it, is not its business.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"COUNTERSIGN") {
            asked.env_remove(name);
        }
    }
    let mut child = asked
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| refused(program, &error.to_string()))?;
    let said = converse(&mut child, input, timeout);
    if said.is_err() {
        // It may have ended already; then there is nothing to end.
        let _ = child.kill();
    }
    let ended = child.wait();
    let said = said.map_err(|why| refused(program, &why))?;
    match ended {
        Ok(status) if status.success() => Ok(said),
        Ok(status) => Err(refused(program, &status.to_string())),
        Err(error) => Err(refused(program, &error.to_string())),
    }
}

/// Gives it the input and takes what it writes, until it has ended or its time is up.
fn converse(
    child: &mut Child,
    input: &[u8],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err("its pipes are not there".to_owned());
    };
    let input = Zeroizing::new(input.to_vec());
    let (done, wrote) = mpsc::channel();
    thread::spawn(move || {
        // One that does not read everything says so by how it ends.
        let _ = stdin.write_all(&input);
        drop(stdin);
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut output = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        let read = stdout.take(LONGEST as u64 + 1).read_to_end(&mut output);
        // Nobody waits any more where its time was up.
        let _ = done.send(read.map(|_| output));
    });
    let late = || format!("no answer within {} s", timeout.as_secs());
    let output = wrote.recv_timeout(timeout).map_err(|_| late())?;
    let output = output.map_err(|error| error.to_string())?;
    if output.len() > LONGEST {
        return Err(format!("it wrote more than {LONGEST} bytes"));
    }
    // It has closed its output, and is about to end.
    for _ in 0..=timeout.as_millis() / POLL.as_millis() {
        match child.try_wait() {
            Ok(None) => thread::sleep(POLL),
            Ok(Some(_)) => return Ok(output),
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(late())
}

fn refused(program: &str, why: &str) -> WrapError {
    WrapError::new(format!("{program}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Kms {
        let command = vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
        Kms { wrap: command.clone(), unwrap: command, timeout: Duration::from_secs(1) }
    }

    fn refusal(script: &str) -> String {
        shell(script).unwrap(b"secret").unwrap_err().to_string()
    }

    #[test]
    fn it_reads_and_writes_bytes() {
        let all: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert_eq!(*shell("cat").unwrap(&all).unwrap(), all);
    }

    #[test]
    fn what_fails_is_refused_without_the_input() {
        for (script, why) in [
            ("cat; exit 3", "exit status: 3"),
            ("head -c 70000 /dev/zero", "it wrote more than 65536 bytes"),
            ("sleep 20", "no answer within 1 s"),
            ("exec >&-; sleep 20", "no answer within 1 s"),
        ] {
            let refusal = refusal(script);
            assert!(refusal.ends_with(why), "{script}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
        let absent = Kms { unwrap: vec!["/not/there".to_owned()], ..shell("") };
        let refusal = absent.unwrap(b"secret").unwrap_err().to_string();
        assert!(refusal.contains("/not/there: "), "{refusal}");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "how long a refusal may take at most")]
    fn one_that_hangs_is_ended() {
        let began = Instant::now();
        refusal("cat; sleep 20");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
