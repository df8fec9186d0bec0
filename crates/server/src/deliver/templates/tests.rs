use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A directory whose German has this file.
fn with(name: &str, text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("de")).unwrap();
    fs::write(directory.path().join("de").join(name), text).unwrap();
    let path = directory.path().to_owned();
    (directory, path)
}

fn opened(name: &str, text: &str) -> Result<Templates, String> {
    let (_directory, path) = with(name, text);
    Templates::open("de", Some(&path))
}

const GOOD: &str =
    "Subject: Code\n\nHier:\n\n{{code}}\n\nBis in {{ minutes }} Minuten bei {{service}}.\n";

#[test]
fn a_file_goes_before_the_built_in_text() {
    let templates = opened("code-login.txt", GOOD).unwrap();
    let said = templates.say(Name::CodeLogIn, "A & B", Some("012345"), 600).unwrap();
    assert_eq!(said.subject, "Code");
    assert_eq!(*said.text, "Hier:\n\n012345\n\nBis in 10 Minuten bei A & B.\n\nA & B\n");
    assert!(said.html.contains("letter-spacing:6px\">012345</p>"), "{}", *said.html);
    assert!(said.html.contains("bei A &amp; B."), "{}", *said.html);
    let other = templates.say(Name::CodeEnrol, "A", Some("012345"), 600).unwrap();
    assert!(other.subject.starts_with("Ihr Bestätigungscode"), "the others are as they were");
}

#[test]
fn html_of_its_own_goes_before_the_layout_and_is_escaped() {
    let templates = opened("code-login.html", "<b>{{code}}</b> {{service}}").unwrap();
    let said = templates.say(Name::CodeLogIn, "<i>", Some("012345"), 600).unwrap();
    assert_eq!(*said.html, "<b>012345</b> &lt;i&gt;");
    assert!(said.text.contains("Das ist Ihr Code"));
    let templates = opened("layout.html", "{{language}}|{{subject}}|{{paragraphs}}").unwrap();
    let said = templates.say(Name::AddressChanged, "A", None, 0).unwrap();
    assert!(said.html.starts_with("de|Ihre E-Mail-Adresse"), "{}", *said.html);
}

#[test]
fn what_does_not_hold_together_is_refused_with_its_file() {
    for (name, text, why) in [
        ("code-login.txt", "Hier: {{code}}", "its first line must be"),
        ("code-login.txt", "Subject: x\n{{code}}", "an empty line"),
        ("code-login.txt", "Subject: {{code}}\n\n{{code}}", "{{code}} is nothing"),
        ("code-login.txt", "Subject: x\n\nohne", "{{code}} must be there once, not 0 times"),
        ("code-login.txt", "Subject: x\n\n{{code}} {{code}}", "must be there once, not 2 times"),
        ("code-login.txt", "Subject: x\n\n{{code", "not closed"),
        ("code-login.txt", "Subject: x\n\n{{code}} 123456", "six digits"),
        ("code-login.txt", "Subject: x\n\n{{code}} https://example.com", "a link"),
        ("code-login.html", "<a HREF='x'>{{code}}</a>", "a link"),
        ("code-login.html", "<p>ohne</p>", "{{code}} must be there once"),
        ("recovery-used.txt", "Subject: x\n\n{{code}}", "{{code}} is nothing"),
        ("recovery-used.txt", "Subject: x\n\n{{user}}", "{{user}} is nothing"),
        ("sms-login.txt", "zwei\nZeilen {{code}}", "one line"),
        ("layout.html", "<p>{{service}}</p>", "{{paragraphs}} must be there once"),
        ("recovery-use.txt", GOOD, "no message has this name"),
    ] {
        let error = opened(name, text).unwrap_err();
        assert!(error.starts_with(&format!("de/{name}: ")), "{error}");
        assert!(error.contains(why), "{error}");
    }
    let (_directory, path) = with("code-login.txt", &"x".repeat(70_000));
    assert!(Templates::open("de", Some(&path)).unwrap_err().contains("longer than"));
    assert!(Templates::open("en", Some(&path)).unwrap_err().contains("en"), "no such directory");
}

#[test]
fn another_language_needs_every_text() {
    let error = Templates::open("fr", None).unwrap_err();
    assert!(error.starts_with("fr/code-login.txt: it is missing"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    write_built_in("fr", directory.path()).unwrap();
    let templates = Templates::open("fr", Some(directory.path())).unwrap();
    let said = templates.say(Name::RecoveryUsed, "A", None, 0).unwrap();
    assert!(said.html.contains("<html lang=\"fr\">"), "{}", *said.html);
    let again = write_built_in("fr", directory.path()).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists, "nothing is written over");
}

#[test]
fn the_built_in_ones_hold_together() {
    for language in Templates::LANGUAGES {
        let templates = Templates::open(language, None).unwrap();
        assert_eq!(templates.messages.len(), Name::ALL.len());
    }
}
