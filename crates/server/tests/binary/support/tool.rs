//! Independent tools of the operating system. Where one is absent a test says so in one line and does not run; under
//! `CI=true` its absence is a failure.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program that answers on this machine.
#[derive(Debug)]
pub(crate) struct Tool(&'static str);

impl Tool {
    /// Looks for a program on behalf of a test.
    pub(crate) fn find(program: &'static str, test: &str) -> Option<Self> {
        let silent = || Stdio::null();
        let found =
            Command::new(program).arg("--version").stdout(silent()).stderr(silent()).status();
        if found.is_ok_and(|status| status.success()) {
            return Some(Self(program));
        }
        let why = format!("{test}: {program} is not installed");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        // Not `eprintln!`: the harness would swallow it, and a silent skip is a lie.
        let mut terminal = std::io::stderr();
        writeln!(terminal, "not run: {why}").unwrap();
        None
    }

    /// The command, ready for arguments.
    pub(crate) fn command(&self) -> Command {
        Command::new(self.0)
    }

    /// Runs it; its standard output, trimmed.
    #[track_caller]
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {shown}", self.0);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// What `zbarimg` reads in a picture.
#[track_caller]
pub(crate) fn zbarimg(tool: &Tool, picture: &Path) -> String {
    let picture = picture.to_str().unwrap();
    tool.run(&["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture])
}

/// The TOTP that `oathtool` computes at a time.
#[track_caller]
pub(crate) fn oathtool(tool: &Tool, secret: &str, unix: u64) -> String {
    tool.run(&["--totp", "--base32", secret, "--now", &format!("@{unix}")])
}
