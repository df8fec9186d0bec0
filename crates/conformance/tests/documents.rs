//! `docs/attacks.md` and `docs/standards.md` name tests: each exists, and none is ignored.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use countersign_conformance::attacks::IDS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tests that the rows of a document name: the last column's code spans.
fn named(document: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("docs").join(document)).unwrap();
    let mut named = Vec::new();
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let (id, shown) = (cells.first().unwrap().trim(), cells.last().unwrap());
        let spans =
            shown.split('`').skip(1).step_by(2).map(|span| (id.to_owned(), span.to_owned()));
        let spans: Vec<_> = spans.collect();
        assert!(!spans.is_empty(), "{document}: {id} names no test");
        named.extend(spans);
    }
    named
}

fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Is there a test of this name in one of these files? Why not?
fn test_in(files: &[PathBuf], name: &str) -> Result<(), String> {
    for file in files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let Some(at) = lines.iter().position(|line| line.contains(&format!("fn {name}("))) else {
            continue;
        };
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        let attributes: Vec<_> = attributes.collect();
        // A property of proptest's is a test with its attribute before the comments above it.
        if !attributes.iter().any(|of| of.starts_with("#[test]") || of.starts_with("#[tokio::test"))
        {
            return Err("is no test".into());
        }
        let ignored = attributes.iter().any(|of| of.starts_with("#[ignore"));
        // What only a tool can run is run by a stage of CI, which its row says.
        return if ignored && !name.contains("nothing_depends_on_a_secret") {
            Err("is ignored".into())
        } else {
            Ok(())
        };
    }
    Err("does not exist".into())
}

fn check(document: &str) {
    let mut wrong = Vec::new();
    for (id, span) in named(document) {
        if let Some(attack) = span.strip_prefix("attack ") {
            if !IDS.contains(&attack) {
                wrong.push(format!("{id}: no attack {attack}"));
            }
            continue;
        }
        let Some((place, name)) = span.split_once("::") else {
            wrong.push(format!("{id}: {span} is no test's name"));
            continue;
        };
        let place = root().join("crates").join(place);
        let mut files = Vec::new();
        if place.is_file() {
            files.push(place);
        } else if place.is_dir() {
            sources(&place, &mut files);
        }
        if let Err(why) = test_in(&files, name) {
            wrong.push(format!("{id}: {span} {why}"));
        }
    }
    assert!(wrong.is_empty(), "{document}:\n{}", wrong.join("\n"));
}

#[test]
fn every_attack_has_its_tests() {
    check("attacks.md");
    let text = fs::read_to_string(root().join("docs/attacks.md")).unwrap();
    for id in IDS {
        assert!(text.contains(&format!("`attack {id}`")), "docs/attacks.md leaves out {id}");
    }
}

#[test]
fn every_requirement_has_its_tests() {
    check("standards.md");
}
