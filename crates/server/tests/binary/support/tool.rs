//! Independent tools of the operating system. Where one is absent a test says so in one line and does not run; under
//! `CI=true` its absence is a failure.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program that answers on this machine.
#[derive(Debug)]
pub(crate) struct Tool(&'static str);

impl Tool {
    /// Looks for programs on behalf of a test, which needs all of them.
    pub(crate) fn find<const N: usize>(
        programs: [&'static str; N],
        test: &str,
    ) -> Option<[Self; N]> {
        let absent: Vec<&str> = programs.into_iter().filter(|program| !answers(program)).collect();
        if absent.is_empty() {
            return Some(programs.map(Self));
        }
        let why = format!("{} not installed", absent.join(" and "));
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: {why}");
        not_run(test, &why);
        None
    }

    /// Where it is.
    pub(crate) fn path(&self) -> String {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|directory| directory.join(self.0));
        found.into_iter().find(|file| file.is_file()).unwrap().display().to_string()
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

/// Says in one line that a test does not run here. Not by `eprintln!`: the harness would swallow it, and a silent skip
/// is a lie.
pub(crate) fn not_run(test: &str, why: &str) {
    let line = format!("not run: {test}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
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
