//! Reads the file and lays the environment over it.
//!
//! A variable names a key: `COUNTERSIGN_` and the key path in capitals, levels joined by two
//! underscores, `COUNTERSIGN_SMTP__PASSWORD` for `smtp.password`. Its value is read as TOML where it
//! is TOML (`true`, `25`, `["a", "b"]`), and else as a string.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::raw::Raw;
use super::{Config, ConfigError};
use crate::profile;

/// Variables of the environment that are no key of the file.
const NOT_KEYS: [&str; 4] =
    ["COUNTERSIGN_KEYS", "COUNTERSIGN_CONFIG", "COUNTERSIGN_LOG", "COUNTERSIGN_LOG_FORMAT"];

impl Config {
    /// Reads a file, lays these variables of the environment over it and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`] names the file's line, the key path or the variable, and how to mend it.
    pub fn read(
        file: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let config = Self::read_unjudged(file, environment)?;
        profile::check(&config)?;
        Ok(config)
    }

    /// The same, though it may contradict its profile.
    pub(crate) fn read_unjudged(
        file: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let place = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| {
            ConfigError::new(&place, error.to_string(), "name a readable file with --config")
        })?;
        Self::parse_unjudged(&place, &text, environment)
    }

    /// The same of a text; `place` is what errors call it.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(
        place: &str,
        text: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let config = Self::parse_unjudged(place, text, environment)?;
        profile::check(&config)?;
        Ok(config)
    }

    fn parse_unjudged(
        place: &str,
        text: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        // Read by its shape first, while the parser still knows the line of each key.
        let syntax = |error: toml::de::Error| {
            let mend = "compare with the reference in docs/operate.md";
            ConfigError::new(place, error.to_string().trim_end(), mend)
        };
        let mut raw: Raw = toml::from_str(text).map_err(syntax)?;
        let mut table: Table = text.parse().map_err(syntax)?;
        for (name, value) in variables(environment)? {
            raw = match laid_over(&mut table, &name, value_of(&value)) {
                Ok(raw) => raw,
                // A password of digits alone is a string, though it is TOML for a number.
                Err(error) => {
                    laid_over(&mut table, &name, Value::String(value)).map_err(|_| error)?
                }
            };
        }
        raw.check()
    }
}

/// The variables that name keys, in the order of their names.
fn variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut variables = Vec::new();
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        if !name.starts_with("COUNTERSIGN_") || NOT_KEYS.contains(&name.as_str()) {
            continue;
        }
        let value = value
            .into_string()
            .map_err(|_| ConfigError::new(&name, "it is not UTF-8", "set it to plain text"))?;
        variables.push((name, value));
    }
    variables.sort();
    Ok(variables)
}

/// Sets the key that a variable names; the configuration with it.
fn laid_over(table: &mut Table, name: &str, value: Value) -> Result<Raw, ConfigError> {
    let path = name.trim_start_matches("COUNTERSIGN_").to_lowercase();
    let mut levels: Vec<&str> = path.split("__").collect();
    let last = levels.pop().unwrap_or_default();
    let mut inner = &mut *table;
    for level in levels {
        let next = inner.entry(level).or_insert_with(|| Value::Table(Table::new()));
        inner = next.as_table_mut().ok_or_else(|| {
            let problem = format!("{level} is no table of the configuration");
            ConfigError::new(name, problem, "set it in the file, or unset the variable")
        })?;
    }
    inner.insert(last.to_owned(), value);
    Raw::deserialize(table.clone()).map_err(|error| {
        let problem = error.message().trim_end().to_owned();
        ConfigError::new(name, problem, "see docs/operate.md, or unset the variable")
    })
}

/// A value that is TOML, or else a string.
fn value_of(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok();
    let value = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    match value {
        Some(
            value @ (Value::Boolean(_) | Value::Integer(_) | Value::Array(_) | Value::String(_)),
        ) => value,
        Some(Value::Float(_) | Value::Datetime(_) | Value::Table(_)) | None => {
            Value::String(text.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mail;

    const SMALL: &str = r#"
        listen = "127.0.0.1:0"
        client_id = "b6adfe4c-d695-4c04-b95f-3ec9fd0c6cca"
        data = "data"
        outbox = "data/outbox"
        [[tenants]]
        id = "acme"
    "#;

    fn with(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Config::parse("test.toml", SMALL, pairs)
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let config = with(&[
            ("COUNTERSIGN_LISTEN", "127.0.0.1:9"),
            ("COUNTERSIGN_ORIGINS", r#"["https://app.example.com"]"#),
            ("COUNTERSIGN_DEADLINE_SECONDS", "3"),
            ("COUNTERSIGN_COOKIES__SAME_SITE", "strict"),
            ("COUNTERSIGN_KEYS", "not a key path"),
            ("HOME", "/root"),
        ])
        .unwrap();
        assert_eq!(config.listen.port(), 9);
        assert_eq!(config.origins, ["https://app.example.com"]);
        assert_eq!(config.deadline.as_secs(), 3);
        assert_eq!(config.same_site, super::super::SameSite::Strict);
    }

    #[test]
    fn a_table_can_come_from_the_environment_alone() {
        let text = SMALL.replace("outbox = \"data/outbox\"", "");
        let environment = [
            ("COUNTERSIGN_SMTP__HOST", "localhost"),
            ("COUNTERSIGN_SMTP__FROM", "mfa@example.com"),
            ("COUNTERSIGN_SMTP__PASSWORD", "123456"),
            ("COUNTERSIGN_SMTP__USERNAME", "u"),
        ]
        .map(|(name, value)| (name.into(), value.into()));
        let config = Config::parse("test.toml", &text, environment).unwrap();
        let Mail::Smtp(smtp) = config.mail else { panic!("{:?}", config.mail) };
        let (user, password) = smtp.credentials.unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("u", "123456"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = Config::parse("test.toml", "lisen = \"x\"", []).unwrap_err().to_string();
        assert!(error.starts_with("test.toml: ") && error.contains("lisen"), "{error}");
        let error = with(&[("COUNTERSIGN_LISEN", "x")]).unwrap_err().to_string();
        assert!(error.starts_with("COUNTERSIGN_LISEN: "), "{error}");
        let error = with(&[("COUNTERSIGN_LISTEN__PORT", "1")]).unwrap_err().to_string();
        assert!(error.starts_with("COUNTERSIGN_LISTEN__PORT: "), "{error}");
    }
}
