//! `countersign doctor`: what the profile asks, and how a configuration answers.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use countersign_ceremony::policy::profile::Profile;

use super::{Failure, print};
use crate::config::Config;
use crate::profile::{Answer, Finding, findings};

/// Say how a configuration answers each requirement of its profile.
///
/// It ends with 1 where one is not met. What only people can see to is marked `yours`.
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// The configuration, in TOML.
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: PathBuf,
    /// Ask what this profile would say, and not the one of the configuration.
    #[arg(long, value_name = "NAME")]
    profile: Option<Asked>,
    /// An object a line, for programs.
    #[arg(long)]
    json: bool,
}

/// The profiles, as configurations write them.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Asked {
    #[value(name = "Compatible")]
    Compatible,
    #[value(name = "AsvsL2")]
    AsvsL2,
    #[value(name = "AsvsL3")]
    AsvsL3,
    #[value(name = "NistAal2")]
    NistAal2,
}

impl From<Asked> for Profile {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Compatible => Self::Compatible,
            Asked::AsvsL2 => Self::AsvsL2,
            Asked::AsvsL3 => Self::AsvsL3,
            Asked::NistAal2 => Self::NistAal2,
        }
    }
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = Config::read_unjudged(&self.config, std::env::vars_os())?;
        let profile = self.profile.map_or(config.profile, Profile::from);
        let mut findings = findings(profile, &config);
        findings.extend(private(&config.keys_file));
        let mut out = String::new();
        if !self.json {
            let _ = writeln!(out, "profile {}", profile.name());
        }
        for finding in &findings {
            let told = if self.json { line(profile, finding) } else { paragraph(finding) };
            let _ = writeln!(out, "{told}");
        }
        print(&out)?;
        let unmet = findings.iter().filter(|of| matches!(of.answer, Answer::Unmet(_))).count();
        match unmet {
            0 => Ok(()),
            1 => Err(Failure::new("1 requirement is not met")),
            more => Err(Failure::new(format!("{more} requirements are not met"))),
        }
    }
}

/// How it is answered, as a sentence.
fn how(answer: &Answer) -> String {
    match answer {
        Answer::Met(how) => how.clone(),
        Answer::Built(how) | Answer::Yours(how) => (*how).to_owned(),
        Answer::Unmet(error) => error.to_string(),
    }
}

fn paragraph(finding: &Finding) -> String {
    let Finding { section, says, answer } = finding;
    format!(
        "{:8}  {section}: {says}\n          {}",
        answer.word(),
        how(answer).replace('\n', "\n          ")
    )
}

fn line(profile: Profile, finding: &Finding) -> String {
    let Finding { section, says, answer } = finding;
    serde_json::json!({
        "profile": profile.name(),
        "section": section,
        "asks": says,
        "answer": answer.word(),
        "how": how(answer),
    })
    .to_string()
}

/// Whether others on this machine could read the key ring. Nothing is said of a ring that is not there yet, or not here.
#[cfg(unix)]
fn private(keys: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(keys).ok()?.permissions().mode() & 0o777;
    let answer = if mode & 0o077 == 0 {
        Answer::Met(format!("{} has mode {mode:o}", keys.display()))
    } else {
        Answer::Unmet(crate::config::ConfigError::new(
            "keys_file",
            format!("others may read {}: its mode is {mode:o}", keys.display()),
            "chmod 600",
        ))
    };
    Some(Finding { section: "every profile", says: "the key ring is its owner's alone", answer })
}

#[cfg(not(unix))]
fn private(_: &Path) -> Option<Finding> {
    None
}
